// Walks through the page in Chromium, against a host whose address, user and password are in the
// environment: signs in, looks, loses and finds the host again, deletes. Every page is looked at by
// axe, at 1180 px, 360 px, in the dark and without JavaScript; a violation of the content security
// policy, or an error on the console, fails. Pictures lie in STAMPEDE_PICTURES.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";

const modules = createRequire(`${process.env.STAMPEDE_NODE_MODULES}/`);
const { chromium } = modules("playwright-core");
const axe = fs.readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const { STAMPEDE_URL: url, STAMPEDE_USER: user, STAMPEDE_PASSWORD: password } = process.env;
const pictures = process.env.STAMPEDE_PICTURES;
fs.mkdirSync(pictures, { recursive: true });

const complaints = [];
const browser = await chromium.launch({
  executablePath: process.env.STAMPEDE_CHROMIUM,
  args: ["--no-sandbox"],
});

const open = async (options) => {
  const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  page.on("console", (message) => {
    // A host that is away, and answers that are errors on purpose.
    const isNetwork = /Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/.test(message.text());
    if (message.type() === "error" && !isNetwork) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`asks ${request.url()}`);
  });
  return page;
};

const signIn = async (page) => {
  await page.goto(`${url}/ui/`);
  await page.fill("#user", user);
  await page.fill("#password", password);
  await page.fill("#project", user);
  await page.click("form.card button");
  await page.waitForURL(/\/ui\/clusters$/);
};

let looked = 0;
const look = async (page, name) => {
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(size[0] <= size[1], `${name} is ${size[0]} px wide, the window ${size[1]}`);
  if (!page.withoutScript) {
    // Of the engine, which the policy of the page does not let in as a script.
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await globalThis.axe.run()).violations);
    const told = found.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
    assert.deepEqual(told, [], `axe on ${name}`);
  }
  looked += 1;
};

const text = (page, selector) => page.locator(selector).first().innerText();
const says = (page, selector, words) =>
  page.waitForFunction(([selector, words]) => document.querySelector(selector)?.textContent.includes(words), [selector, words]);

// Sign-in: by keyboard alone, wrong and right.
const page = await open({});
await page.goto(`${url}/ui/`);
await look(page, "sign-in");
await page.focus("#user");
await page.keyboard.type(user);
await page.keyboard.press("Tab");
await page.keyboard.type("wrong");
await page.keyboard.press("Enter");
await says(page, "[role=alert]", "Keystone");
await look(page, "sign-in-wrong");
await signIn(page);
const first = await page.evaluate(() =>
  performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).reduce((sum, one) => sum + one.transferSize, 0));
assert.ok(first < 100 * 1024, `the first page takes ${first} bytes`);
await says(page, "#live", "analytics");
await look(page, "list");

// A cluster comes up while one looks; an opened table stays open.
await page.click("text=analytics");
await says(page, "#live .pill", "coming up");
await page.waitForSelector("svg.chart rect");
await page.click("#d-stages summary");
await look(page, "cluster-coming-up");
console.log("go on"); // to the test that has started this program
await says(page, "#live .pill", "running");
await says(page, "#liveness", "Live.");
assert.ok(await page.evaluate(() => document.querySelector("#d-stages").open), "the table stays open");
await page.click("#d-stages summary");
await look(page, "cluster-running");

// In the background the stream is closed; back in front the page is live at once.
const session = await page.context().newCDPSession(page);
await session.send("Page.setWebLifecycleState", { state: "frozen" }).catch(() => {});
await session.send("Page.setWebLifecycleState", { state: "active" }).catch(() => {});
await says(page, "#liveness", "Live.");

// The host does not answer: said within seconds, and it heals by itself.
process.kill(Number(process.env.STAMPEDE_HOST_PID), "SIGSTOP");
await says(page, "#liveness", "Not live");
await page.screenshot({ path: `${pictures}/cluster-lost.png` });
process.kill(Number(process.env.STAMPEDE_HOST_PID), "SIGCONT");
await says(page, "#liveness", "Live.");

// The failed one, and its first failure.
await page.goto(`${url}/ui/clusters/broken`);
await says(page, "#live", "line 157");
await look(page, "cluster-failed");

// Filters stand in the URL.
await page.goto(`${url}/ui/clusters`);
await page.fill("#q", "broken");
await page.click("form.filters button");
await page.waitForURL(/q=broken/);
assert.match(await text(page, ".shown"), /1 of 2 shown/);
await look(page, "list-filtered");
await page.goto(`${url}/ui/no-such-page`);
await look(page, "not-found");

// A new cluster: what is wrong stands beside its field while one types, and the preview before it is made.
await page.goto(`${url}/ui/new`);
await look(page, "new");
await page.fill("[name=name]", "third");
await page.check("input[name=framework][value=hadoop]");
await page.fill("[name='set.workers']", "500");
await says(page, "#main", "500 is too many");
await look(page, "new-problem");
await page.fill("[name='set.workers']", "2");
await page.waitForFunction(() => !document.querySelector("#main").textContent.includes("500 is too many"));
await look(page, "new-filled");
await page.click("button:has-text('Preview')");
await says(page, "#main", "worker-2");
await look(page, "new-preview");

// Small, dark, and without JavaScript.
const [cookie] = await page.context().cookies();
for (const [name, options] of [
  ["small", { viewport: { width: 360, height: 740 } }],
  ["dark", { colorScheme: "dark" }],
  ["no-script", { javaScriptEnabled: false }],
]) {
  const other = await open(options);
  if (name === "no-script") other.withoutScript = true;
  await other.goto(`${url}/ui/sign-in`);
  if (name === "no-script") {
    await other.screenshot({ path: `${pictures}/sign-in-${name}.png`, fullPage: true });
  } else {
    await look(other, `sign-in-${name}`);
  }
  await other.context().addCookies([cookie]);
  for (const [path, picture] of [["", "list"], ["/analytics", "cluster"], ["/broken", "failed"], ["/analytics/delete", "delete"], ["/../new", "new"]]) {
    await other.goto(`${url}/ui/clusters${path}`);
    if (name === "no-script") {
      await other.screenshot({ path: `${pictures}/${picture}-${name}.png`, fullPage: true });
      assert.match(await other.locator("#main").innerText(), /analytics|broken|New cluster/);
    } else {
      await look(other, `${picture}-${name}`);
    }
  }
  await other.context().close();
}

// No script of the page sees the cookie.
assert.equal(await page.evaluate(() => document.cookie), "");
assert.equal(cookie.httpOnly && cookie.secure && cookie.name, "__Host-stampede");

// Delete: not with a wrong name.
await page.goto(`${url}/ui/clusters/analytics/delete`);
await look(page, "delete");
await page.fill("#name", "analytic");
await page.click("button.danger");
await says(page, "#name-error", "nothing was deleted");
await look(page, "delete-wrong-name");
await page.fill("#name", "analytics");
await page.click("button.danger");
await page.waitForURL(/deleted=analytics/);
await look(page, "list-deleting");

await page.click("header.top button");
await says(page, "h1", "signed out");
await look(page, "signed-out");
await page.goto(`${url}/ui/clusters`);
assert.match(page.url(), /sign-in/);

await pause(100);
await browser.close();
assert.deepEqual(complaints, [], "the console says nothing");
console.log(`${looked} pages in ${pictures}`);
