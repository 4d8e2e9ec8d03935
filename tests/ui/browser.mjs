// Walks through the page in Chromium, against a host that is given by the environment: signs in, looks,
// loses and finds the host again, deletes. Every page is looked at by axe, at 1180 px, 360 px, in the
// dark and without JavaScript; a violation of the content security policy, or an error on the
// console, fails. Pictures lie in STAMPEDE_PICTURES. What goes wrong around the page is in faults.mjs.
import assert from "node:assert/strict";
import process from "node:process";

import { finish, liveness, look, open, press, says, signIn, snap, text, url, user, world } from "./steps.mjs";

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
await world("finish");
await says(page, "#live .pill", "running");
await liveness(page, "Live.");
assert.ok(await page.evaluate(() => document.querySelector("#d-stages").open), "the table stays open");
await page.click("#d-stages summary");
await look(page, "cluster-running");

// The host does not answer: said within seconds, and it heals by itself.
process.kill(Number(process.env.STAMPEDE_HOST_PID), "SIGSTOP");
await liveness(page, "Not live");
await snap(page, "cluster-lost");
process.kill(Number(process.env.STAMPEDE_HOST_PID), "SIGCONT");
await liveness(page, "Live.");

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
await says(page, "#main", "500 is too many", { not: true });
await look(page, "new-filled");
await page.click("button:has-text('Preview')");
await says(page, "#main", "worker-2");
await look(page, "new-preview");

// A plugin is another by now: said, and seen before anything is changed.
await world("kill");
await world("replace-hadoop");
await world("start");
await signIn(page);
await page.goto(`${url}/ui/clusters/analytics`);
await says(page, "#upgrade", "The plugin hadoop is another by now");
await look(page, "cluster-upgrade");
await page.click("#upgrade a");
await says(page, "#main", "stampede cluster upgrade analytics");
await says(page, "#main", "resources stay as they are");
await look(page, "upgrade");

// Small, dark, and without JavaScript.
const [cookie] = await page.context().cookies();
for (const [name, options] of [
  ["small", { viewport: { width: 360, height: 740 } }],
  ["dark", { colorScheme: "dark" }],
  ["no-script", { javaScriptEnabled: false }],
]) {
  const other = await open(options);
  await other.goto(`${url}/ui/sign-in`);
  await look(other, `sign-in-${name}`);
  await other.context().addCookies([cookie]);
  for (const [path, picture] of [["", "list"], ["/analytics", "cluster"], ["/broken", "failed"], ["/analytics/delete", "delete"], ["/analytics/upgrade", "upgrade"], ["/../new", "new"]]) {
    await other.goto(`${url}/ui/clusters${path}`);
    await look(other, `${picture}-${name}`);
    if (other.withoutScript) assert.match(await text(other, "#main"), /analytics|broken|New cluster/);
  }
  await other.context().close();
}

// Begun by its button, it is a change as any other, and then nothing is left to upgrade.
await press(page, "Upgrade");
await page.waitForURL(/clusters\/analytics$/);
await says(page, "#live .pill", "changing");
await world("settle analytics");
await says(page, "#live .pill", "running");
assert.equal(await page.locator("#upgrade").count(), 0);
await page.goto(`${url}/ui/clusters/analytics/upgrade`);
await says(page, "#main", "There is nothing to upgrade");
await look(page, "upgrade-nothing");

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

await finish();
