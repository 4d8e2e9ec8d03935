// What goes wrong around the page, in Chromium: guessed passwords, tokens that end, a cloud and a host
// that are away, other sites, other people, nodes that fail, many tabs. What is asserted is what a
// person sees, and what the host and Keystone were asked.
import assert from "node:assert/strict";
import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { BOUND_MS, fillField, fillNew, finish, liveness, look, member, open, password, press, says, setHidden, text } from "./steps.mjs";
import { trySignIn, url, user, walk, workedOut, world } from "./steps.mjs";

const COOKIE = "__Host-stampede";
const HTML = "<img src=x onerror=alert(1)><script>alert(2)</script>";
const cookieOf = async (page) => (await page.context().cookies()).find((one) => one.name === COOKIE);
const cluster = (name) => `${url}/ui/clusters/${name}`;
const logins = () => world("count POST /v3/auth/tokens");
const revoked = () => world("count DELETE /v3/auth/tokens");

// A site of somebody else, until `use` has ended. Another port of this machine is another origin of
// the same site, to which browsers send cookies; `localhost` is another site.
const withSite = async (html, use) => {
  const server = http.createServer((_, answer) => answer.setHeader("content-type", "text/html").end(html));
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  for (const origin of [`http://127.0.0.1:${port}`, `http://localhost:${port}`]) await use(origin);
  server.closeAllConnections();
  server.close();
};

const guessing = async () => {
  const page = await open();
  await page.goto(`${url}/ui/`);
  for (let guess = 0; guess < 5; guess += 1) {
    assert.equal(await trySignIn(page, "other", "my-guess"), 401);
    await says(page, "[role=alert]", "Keystone does not take this");
  }
  assert.equal(await page.inputValue("#password"), "");
  assert.equal(await page.inputValue("#user"), "other", "what is no secret stays");
  assert.ok(!(await page.content()).includes("my-guess"), "the password stands nowhere in the page");
  // The pause doubles, so that also a slow machine comes into one.
  let [status, before] = [401, ""];
  for (let guess = 0; guess < 7 && status === 401; guess += 1) {
    before = await logins();
    status = await trySignIn(page, "other", "my-guess");
  }
  assert.equal(status, 429);
  assert.equal(await logins(), before, "Keystone is not asked");
  await look(page, "fault-guessing");
  const [, seconds] = (await text(page, "[role=alert]")).match(/Try again in (\d+) s/);
  // Time itself is what is waited for.
  await pause(seconds * 1000);
  assert.equal(await trySignIn(page, "other", password), 303, "nobody is locked out");
};

const fixation = async () => {
  const attacker = await member("other");
  const planted = await cookieOf(attacker);
  const victim = await open();
  await victim.goto(`${url}/ui/sign-in`);
  await victim.context().addCookies([planted]);
  assert.equal(await trySignIn(victim, user, password), 303);
  await victim.waitForURL(/\/ui\/clusters$/);
  const own = await cookieOf(victim);
  assert.notEqual(own.value, planted.value, "a new name for the session");
  assert.ok(own.httpOnly && own.secure && own.sameSite === "Lax");
  assert.equal(await victim.evaluate(() => document.cookie), "", "no script reads it");
  assert.equal(await victim.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])), "[{},{}]");
  await attacker.goto(`${url}/ui/clusters`);
  assert.match(attacker.url(), /sign-in/, "the planted name is nobody's");
};

const signingOut = async () => {
  const page = await member();
  const cookie = await cookieOf(page);
  const before = Number(await revoked());
  await press(page, "Sign out");
  await says(page, "h1", "signed out");
  assert.equal(Number(await revoked()), before + 1, "Keystone is told to end the token");
  assert.equal(await cookieOf(page), undefined);
  await page.goBack();
  assert.match(page.url(), /sign-in/, "the way back shows nothing");
  await page.context().addCookies([cookie]);
  await page.goto(`${url}/ui/clusters`);
  assert.match(page.url(), /sign-in/, "the name of the session is nobody's");
};

const otherProject = async () => {
  const page = await member("other");
  assert.match(await text(page, "#main"), /There is no cluster in this project yet/);
  assert.ok(!(await page.content()).includes("target"));
  for (const below of ["", "/change", "/delete", "/request.toml"]) {
    const answer = await page.goto(`${cluster("target")}${below}`);
    assert.equal(answer.status(), 404, below);
  }
  await page.goto(cluster("target"));
  await says(page, "#main", "There is no cluster “target” in this project");
};

const hostileNames = async () => {
  const page = await member();
  await page.goto(cluster("target"));
  await page.locator("#d-attributes").evaluate((details) => (details.open = true));
  await says(page, "#live", HTML);
  await page.goto(cluster(encodeURIComponent(HTML)));
  await says(page, "#main", HTML);
  await page.goto(`${url}/ui/clusters?q=${encodeURIComponent(HTML)}&deleted=${encodeURIComponent(HTML)}`);
  await says(page, "#main", HTML);
  assert.equal(await page.inputValue("#q"), HTML);
  await page.goto(`${url}/ui/new`);
  await workedOut(page, () => page.fill("[name=name]", HTML));
  await look(page, "fault-hostile-name");
  assert.equal(await page.inputValue("[name=name]"), HTML);
  await workedOut(page, () => fillField(page, "image", HTML));
  await says(page, "#main", HTML);
  assert.equal(await page.locator("main img, main script").count(), 0);
};

const framed = async () => {
  const page = await member("demo", { isForeign: true });
  const html = `<iframe id=own src="data:text/html,own"></iframe><iframe id=theirs src="${url}/ui/clusters"></iframe>`;
  await withSite(html, async (origin) => {
    await page.goto(origin);
    const frame = async (id) => (await page.locator(id).elementHandle()).contentFrame();
    assert.match(await (await frame("#own")).content(), /own/, "frames as such are shown");
    const theirs = await frame("#theirs");
    assert.ok(!theirs.url().startsWith(url), `${theirs.url()} is no page of ours`);
    assert.ok(!(await theirs.content()).includes("Stampede"), "a frame shows nothing of ours");
  });
};

const foreignForms = async () => {
  const page = await member("demo", { isForeign: true });
  for (const [path, field] of [["/ui/clusters/target/delete", "target"], ["/ui/sign-out", ""], ["/ui/new/create", "made-by-others"]]) {
    const html = `<form method=post action="${url}${path}"><input name=name value="${field}"><button>Win</button></form>`;
    await withSite(html, async (origin) => {
      await page.goto(origin);
      const sent = page.waitForRequest((request) => request.url().startsWith(url));
      await press(page, "Win");
      const request = await sent;
      assert.equal((await request.response()).status(), 403, `${path} from ${origin}`);
      const isSameSite = origin.includes("127.0.0.1");
      const cookies = (await request.allHeaders()).cookie ?? "";
      assert.equal(cookies.includes(COOKIE), isSameSite, "to its own site a browser sends the cookie along");
      await says(page, "#main", "A page of another site has sent this form");
    });
  }
  await page.goto(cluster("target"));
  await says(page, "#live .pill", "running");
  const made = await page.goto(cluster("made-by-others"));
  assert.equal(made.status(), 404);
};

const failingTwice = async () => {
  await world("fail worker-2 hadoop setup line 157: curl: (22) The requested URL returned error: 404");
  await world("deploy failing");
  await world("finish");
  const page = await member();
  await page.goto(cluster("failing"));
  const pinned = page.getByRole("region", { name: "First failure" });
  const whole = async () => {
    const words = await pinned.innerText();
    for (const part of ["worker-2", "hadoop", "setup", "line 157", "curl: (22)", "error: 404"]) assert.ok(words.includes(part), `${part}: ${words}`);
  };
  await pinned.waitFor();
  await whole();
  // Another node fails later: what came first stays first.
  await world("signal failing worker-1 hadoop setup failed line 9: disk full");
  await page.reload();
  await whole();
  await look(page, "fault-failing");
  // Once more by the form, and it fails elsewhere.
  await world("fail worker-1 hadoop setup line 160: sha512sum: WARNING: 1 computed checksum did NOT match");
  await page.getByRole("link", { name: "Another like it" }).click();
  await workedOut(page, () => page.fill("[name=name]", "failing-again"));
  await press(page, "Preview");
  await press(page, "Create");
  await page.waitForURL(/clusters\/failing-again$/);
  await world("finish");
  await says(page, "#live", "line 160");
  assert.ok((await pinned.innerText()).includes("worker-1"));
  await look(page, "fault-failing-again");
  await page.goto(cluster("failing"));
  await whole();
};

const failingChange = async () => {
  const page = await member();
  // Ids of nodes are never given out twice.
  for (const [node, why] of [["worker-3", "No space left on device"], ["worker-4", "curl: (28) Operation timed out"]]) {
    await world(`fail-update ${node} hadoop setup line 42: ${why}`);
    await page.goto(`${cluster("target")}/change`);
    await workedOut(page, () => fillField(page, "workers", "3"));
    await press(page, "Apply");
    await page.waitForURL(/clusters\/target$/);
    await world("settle target");
    await says(page, "#live .pill", "running");
    await says(page, "#live", why);
    const words = await text(page, "#live");
    assert.match(words, new RegExp(`Last change: failed, and the cluster is as it was before: .*${node}.*line 42`), words);
    await look(page, `fault-change-${node}`);
  }
};

const twoTabs = async () => {
  await world("deploy shared");
  await world("finish");
  const one = await member();
  const other = await open({ context: one.context() });
  const change = `${cluster("shared")}/change`;
  await one.goto(change);
  await other.goto(change);
  await workedOut(one, () => fillField(one, "workers", "3"));
  await says(one, "#main", "worker-3");
  await press(one, "Apply");
  await one.waitForURL(/clusters\/shared$/);
  await world("settle shared");
  await says(one, "#live .pill", "running");
  await says(one, "#live", "3 × worker");
  // The other one has seen what was before.
  await workedOut(other, () => fillField(other, "workers", "4"));
  await says(other, "[role=alert]", "Somebody else has changed this cluster");
  assert.equal(await other.inputValue("[name='set.workers']"), "4", "what was typed is kept");
  await look(other, "fault-two-tabs");
  const difference = other.locator("section", { hasText: "What it does" });
  assert.match(await difference.innerText(), /workers\s+3\s+4/, "from what is now");
  await press(other, "Apply");
  await other.waitForURL(/clusters\/shared$/);
  // A third one comes while that is under way: it is told so, and nothing is overwritten.
  await one.goto(change);
  await workedOut(one, () => fillField(one, "workers", "5"));
  await says(one, "[role=alert]", "under way");
  await world("settle shared");
  await says(other, "#live", "4 × worker");
};

const inBackground = async () => {
  await world("deploy hidden");
  await world("step");
  const page = await member();
  await page.goto(cluster("hidden"));
  await liveness(page, "Live.");
  const isStream = (request) => request.url().endsWith("/events");
  const closed = Promise.any([page.waitForEvent("requestfailed", isStream), page.waitForEvent("requestfinished", isStream)]);
  await setHidden(page, true);
  await closed;
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await world("finish");
  const front = await open({ context: page.context() });
  await front.goto(cluster("hidden"));
  await says(front, "#live .pill", "running");
  assert.deepEqual(asked, [], "in the background it asks for nothing");
  assert.match(await text(page, "#live .pill"), /coming up/);
  const opened = page.waitForRequest(isStream);
  await setHidden(page, false);
  await says(page, "#live .pill", "running");
  await opened;
  await liveness(page, "Live.");
};

const eightTabs = async () => {
  await world("deploy eight");
  await world("step");
  const tabs = [await member()];
  const context = tabs[0].context();
  while (tabs.length < 8) tabs.push(await open({ context }));
  for (const tab of tabs) await tab.goto(cluster("eight"));
  const isSaid = /^(Live\.|Not live: asked again every 5 s\.)$/;
  for (const tab of tabs) {
    await says(tab, "#live .pill", "coming up");
    await tab.waitForFunction(() => document.getElementById("liveness").textContent);
  }
  // The browser has connections left for a ninth page.
  const ninth = await open({ context });
  await ninth.goto(`${url}/ui/clusters`);
  await world("finish");
  for (const tab of tabs) await says(tab, "#live .pill", "running");
  // A busy machine may lose an answer, and says so; it comes to what is right by itself.
  const saysHowLive = (tab) => tab.waitForFunction((source) => new RegExp(source).test(document.getElementById("liveness").textContent), isSaid.source);
  await Promise.all(tabs.map(saysHowLive));
  const isLive = await Promise.all(tabs.map(async (tab) => (await text(tab, "#liveness")) === "Live."));
  const live = tabs.filter((_, number) => isLive[number]);
  const asking = tabs.filter((_, number) => !isLive[number]);
  assert.ok(live.length >= 2, `${live.length} tabs are live`);
  assert.ok(asking.length > 0, "the browser keeps connections for other pages");
  // A tab that is closed leaves its place to one of those that only ask, whichever tries first.
  await live[0].close();
  await Promise.any(asking.map((tab) => liveness(tab, "Live.")));
};

const cloudAway = async () => {
  await world("deploy cloudy");
  await world("finish");
  const page = await member();
  await page.goto(cluster("cloudy"));
  await says(page, "#live .pill", "running");
  const form = await open({ context: page.context() });
  await fillNew(form, "typed", ["hadoop"], { workers: "2" });
  await world("cloud away");
  await says(page, "#live", "What stands here may be old");
  await says(page, "#live", "The cloud has not answered since");
  await look(page, "fault-cloud-away");
  await says(page, "#live .pill", "running");
  await workedOut(form, () => fillField(form, "workers", "3"));
  assert.equal(await form.inputValue("[name=name]"), "typed");
  await look(form, "fault-cloud-away-form");
  await world("cloud back");
  await says(page, "#live", "What stands here may be old", { not: true });
  await liveness(page, "Live.");
  assert.equal(await form.inputValue("[name='set.workers']"), "3");
};

const tokenEnds = async () => {
  const page = await member();
  const live = await open({ context: page.context() });
  await live.goto(cluster("target"));
  await fillNew(page, "long-typed", ["hadoop"], {});
  await workedOut(page, () => fillField(page, "workers", "2"));
  await world("expire");
  await liveness(live, "your session has ended");
  await workedOut(page, () => fillField(page, "hadoop.replication", "1"));
  await says(page, "#form-note", "Your session has ended");
  await look(page, "fault-token-ended");
  await press(page, "Preview");
  await says(page, "[role=status]", "what you typed is kept");
  await look(page, "fault-token-ended-sign-in");
  assert.equal(await trySignIn(page, user, "mistyped"), 401);
  assert.equal(await trySignIn(page, user, password), 303);
  await page.waitForURL(/\/ui\/new$/);
  assert.equal(await page.inputValue("[name=name]"), "long-typed");
  assert.ok(await page.isChecked("input[name=framework][value=hadoop]"));
  assert.equal(await page.inputValue("[name='set.workers']"), "2");
  assert.equal(await page.inputValue("[name='set.hadoop.replication']"), "1");
  await press(page, "Preview");
  await says(page, "h1", "Preview of long-typed");
  // The other tab heals by itself.
  await liveness(live, "Live.");
};

const hostKilled = async () => {
  const page = await member();
  const context = page.context();
  await page.goto(cluster("target"));
  await liveness(page, "Live.");
  const list = await open({ context });
  await list.goto(`${url}/ui/clusters?q=tar`);
  await says(list, "#live", "target");
  await world("kill");
  await liveness(page, "Not live: the host does not answer");
  await liveness(list, "Not live: the host does not answer");
  await look(page, "fault-host-killed");
  await says(page, "#live", "target");
  await world("start");
  await liveness(page, "Not live: your session has ended");
  await look(page, "fault-host-back");
  await page.getByRole("link", { name: "Sign in again" }).click();
  assert.equal(await trySignIn(page, user, password), 303);
  await page.waitForURL(cluster("target"));
  await says(page, "#live .pill", "running");
  await liveness(page, "Live.");
  await liveness(list, "Live.");
};

await world("deploy target");
await world("finish");
const started = Date.now();
await walk([
  ["guessing is slowed, and nothing of a password is kept", guessing],
  ["a planted session is nobody's, and no script reads the cookie", fixation],
  ["signing out ends the token at Keystone", signingOut],
  ["a user of another project sees nothing", otherProject],
  ["names with HTML are text", hostileNames],
  ["a frame of another site stays empty", framed],
  ["forms of other sites are refused", foreignForms],
  ["a node that fails, and another time another one", failingTwice],
  ["a change that fails twice", failingChange],
  ["two tabs that change one cluster", twoTabs],
  ["a tab in the background has no stream, and is fresh in front", inBackground],
  ["eight tabs of one cluster", eightTabs],
  ["the cloud is away", cloudAway],
  ["a token ends in the middle of a form", tokenEnds],
  ["the host is killed under open pages", hostKilled],
]);
console.log(`all of it took ${Math.round((Date.now() - started) / 1000)} s`);
await finish();
