// The steps that the walks through the page have in common, in Chromium: opening a page, signing in,
// filling a form, looking at a page. Where the host is, and who signs in, is in the environment, so
// that no password stands among a process' arguments. Walks that want something of the world around
// the page (a cloud that is away, a host that is killed) ask the program that has started them, by a
// line on their output: `world`. Bounds of waits are for a machine that is busy; nothing here says
// how fast the page is.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import readline from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const modules = createRequire(`${process.env.STAMPEDE_NODE_MODULES}/`);
const { chromium } = modules("playwright-core");
const axe = fs.readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

// The URL of the host, who signs in there, and how long a wait may take at most.
export const { STAMPEDE_URL: url, STAMPEDE_USER: user, STAMPEDE_PASSWORD: password } = process.env;
export const BOUND_MS = 60_000;

const pictures = process.env.STAMPEDE_PICTURES;
fs.mkdirSync(pictures, { recursive: true });

// What no page may do: say something on the console, break its policy, or ask another site.
const complaints = [];
const browser = await chromium.launch({ executablePath: process.env.STAMPEDE_CHROMIUM, args: ["--no-sandbox"] });

// A page of a browser of its own, or, with `context`, of one that is there. `isForeign` is for pages
// of other sites, which may do what they like.
export const open = async ({ context, isForeign = false, ...options } = {}) => {
  const its = context ?? (await browser.newContext({ viewport: { width: 1180, height: 900 }, ...options }));
  const page = await its.newPage();
  page.setDefaultTimeout(BOUND_MS);
  page.withoutScript = options.javaScriptEnabled === false;
  page.on("dialog", (dialog) => {
    complaints.push(`a script says ${dialog.message()}`);
    dialog.dismiss();
  });
  if (isForeign) return page;
  page.on("console", (message) => {
    // A host that is away, and answers that are errors on purpose.
    const isNetwork = /Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|htmx:(sse:)?error: (SSE reconnect failed|Failed to fetch|network error)/.test(message.text());
    if (message.type() === "error" && !isNetwork) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`asks ${request.url()}`);
  });
  return page;
};

const passwordForm = (page) => page.locator("form", { has: page.locator("[name=way][value=password]") });

// Fills the form of user and password, and sends it: the answer's status.
export const trySignIn = async (page, name, word) => {
  const form = passwordForm(page);
  await form.locator("[name=user]").fill(name);
  await form.locator("[name=password]").fill(word);
  await form.locator("[name=project]").fill(process.env.STAMPEDE_PROJECT ?? name);
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().includes("/ui/sign-in"));
  await form.getByRole("button").click();
  return (await answered).status();
};

export const signIn = async (page, name = user, word = password) => {
  await page.goto(`${url}/ui/`);
  assert.equal(await trySignIn(page, name, word), 303, "signed in");
  await page.waitForURL(/\/ui\/clusters$/);
};

// A new browser whose user has signed in.
export const member = async (name = user, options = {}) => {
  const page = await open(options);
  await signIn(page, name);
  return page;
};

let looked = 0;

// A picture of the whole page, its width, and what axe says of it.
export const look = async (page, name) => {
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(size[0] <= size[1], `${name} is ${size[0]} px wide, the window ${size[1]}`);
  if (!page.withoutScript) {
    // Of the engine, which the policy of the page does not let in as a script.
    await page.evaluate(axe);
    const violations = async () => {
      const found = await page.evaluate(async () => (await globalThis.axe.run()).violations);
      return found.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
    };
    assert.deepEqual(await violations(), [], `axe on ${name}`);
    // What is folded away, too.
    const folded = await page.evaluateHandle(() => [...document.querySelectorAll("details:not([open])")]);
    const unfold = (isOpen) => folded.evaluate((all, isOpen) => all.forEach((details) => (details.open = isOpen)), isOpen);
    await unfold(true);
    assert.deepEqual(await violations(), [], `axe on ${name}, unfolded`);
    await unfold(false);
  }
  looked += 1;
};

export const snap = (page, name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
export const text = (page, selector) => page.locator(selector).first().innerText();

// Waits until the element's text has these words, or, with `not`, has them no more.
export const says = async (page, selector, words, { not = false, timeout = BOUND_MS } = {}) => {
  const has = ([selector, words, not]) => (document.querySelector(selector)?.textContent.includes(words) ?? false) !== not;
  try {
    await page.waitForFunction(has, [selector, words, not], { timeout });
  } catch (error) {
    const said = await page.locator(selector).first().textContent({ timeout: 1000 }).catch(() => "nothing");
    throw new Error(`${selector} ${not ? "still says" : "does not say"} “${words}” but: ${said}`, { cause: error });
  }
};

export const liveness = (page, words, options) => says(page, "#liveness", words, options);

// A field of a request by its attribute; the lines that hide it are opened.
export const fillField = async (page, attribute, value) => {
  const field = page.locator(`[name='set.${attribute}']`);
  await field.evaluate((element) => {
    for (let up = element.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  });
  const isSelect = await field.evaluate((element) => element.tagName === "SELECT");
  await (isSelect ? field.selectOption(value) : field.fill(value));
};

// Does what makes the browser send a form's fields while somebody types, and waits for the answer.
export const workedOut = async (page, act) => {
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST" && "hx-request" in answer.request().headers());
  await act();
  return (await answered).status();
};

// The form of a new cluster: name, frameworks, attributes.
export const fillNew = async (page, name, frameworks, values) => {
  await page.goto(`${url}/ui/new`);
  await page.fill("[name=name]", name);
  for (const framework of frameworks) await page.check(`input[name=framework][value=${framework}]`);
  for (const [attribute, value] of Object.entries(values)) await fillField(page, attribute, value);
};

export const press = (page, label) => page.getByRole("button", { name: label, exact: true }).click();

// Sends a tab into the background and back. A browser without a screen shows all of its tabs, so the
// page is told so by what browsers tell it with: `document.hidden`, and its event.
export const setHidden = (page, isHidden) =>
  page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (isHidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, isHidden);

// Asks for something of the world around the page, and waits until it is so: its answer.
const asked = [];
let answers;
export const world = (wish) => {
  answers ??= readline.createInterface({ input: process.stdin }).on("line", (line) => asked.shift()(line));
  return new Promise((resolve, reject) => {
    asked.push((line) => (line.startsWith("ok") ? resolve(line.slice(3)) : reject(new Error(`${wish}: ${line}`))));
    console.log(`world: ${wish}`);
  });
};

// Each step has a name, which is told where it fails, with pictures of what was open. With
// STAMPEDE_STEP only those whose names it matches.
export const walk = async (steps) => {
  const wanted = new RegExp(process.env.STAMPEDE_STEP ?? "");
  const failed = [];
  for (const [name, step] of steps.filter(([name]) => wanted.test(name))) {
    const start = Date.now();
    try {
      await step();
      console.log(`  ${name}: ok, ${Math.round((Date.now() - start) / 1000)} s`);
    } catch (error) {
      const pages = browser.contexts().flatMap((one) => one.pages());
      for (const [number, page] of pages.entries()) await snap(page, `failed-${failed.length}-${number}`).catch(() => {});
      console.log(`  ${name}: FAILED: ${error.stack}`);
      failed.push(name);
    }
    for (const context of browser.contexts()) await context.close();
  }
  assert.deepEqual(failed, [], "steps that failed");
};

export const finish = async () => {
  // What the console still has to say comes with its next turn.
  await pause(100);
  await browser.close();
  answers?.close();
  process.stdin.destroy();
  assert.deepEqual(complaints, [], "the console says nothing");
  console.log(`${looked} pages in ${pictures}`);
};
