// One cluster from its form to its end, in Chromium, on a cloud that boots nodes: asked for, watched,
// looked at, scaled, reached, put off, deleted; a picture of each moment. The program that has started it
// gives the attributes (STAMPEDE_REQUEST, JSON) and opens the tunnel. It takes as long as the cloud
// does: bounds are for a cloud that is busy.
import assert from "node:assert/strict";
import process from "node:process";

import { fillField, fillNew, finish, liveness, look, open, press, says, signIn, snap, text, url, workedOut, world } from "./steps.mjs";

const NAME = "pictures";
const COMES_UP_MS = 900_000;
const CHANGES_MS = 600_000;
const GOES_MS = 300_000;
const request = JSON.parse(process.env.STAMPEDE_REQUEST);

const page = await open();
const cluster = `${url}/ui/clusters/${NAME}`;
const tell = (what) => console.log(`verified: ${what}`);

await page.goto(`${url}/ui/`);
await look(page, "real-1-sign-in");
await signIn(page);
await look(page, "real-2-no-cluster");

// The form: three answers, and what this cloud needs besides.
await fillNew(page, NAME, ["hadoop", "spark"], request);
await look(page, "real-3-form");
await press(page, "Preview");
await page.waitForFunction(() => document.querySelector("#problems") || document.querySelector("h1").textContent.startsWith("Preview"));
assert.deepEqual(await page.locator("#problems").allInnerTexts(), [], "nothing is in the way");
await says(page, "#main", "worker-2");
await look(page, "real-4-preview");
await press(page, "Create");
await page.waitForURL(cluster);
tell("asked for by the form, seen as a preview, created");

// It comes up: at the beginning, when a node has told of its first stage, when all have.
await says(page, "#live .pill", "coming up");
await look(page, "real-5-begins");
await page.waitForSelector("svg.chart rect", { timeout: COMES_UP_MS });
await look(page, "real-6-first-stage");
await says(page, "svg.chart", "worker-2", { timeout: COMES_UP_MS });
await snap(page, "real-7-all-nodes");
await says(page, "#live .pill", "running", { timeout: COMES_UP_MS });
await liveness(page, "Live.");
await says(page, "#live", "Services", { timeout: COMES_UP_MS });
await look(page, "real-8-running");
const services = page.getByRole("region", { name: "Services" });
// Nodes tell of their services once they have looked at them, a minute apart.
await services.getByText("works").first().waitFor({ timeout: COMES_UP_MS });
await services.getByText("does not work").first().waitFor({ state: "detached", timeout: COMES_UP_MS });
tell(`it came up under the open page: ${(await text(page, "#live .lead")).replace(/\s+/g, " ")}`);

// One worker more: what it does, before.
await page.getByRole("link", { name: "Change", exact: true }).click();
await workedOut(page, () => fillField(page, "workers", "3"));
await says(page, "#main", "worker-3");
const difference = await page.locator("section", { hasText: "What it does" }).innerText();
assert.match(difference, /workers\s+2\s+3/);
assert.match(difference, /Come\s+worker-3/);
await look(page, "real-9-difference");
await press(page, "Apply");
await page.waitForURL(cluster);
await says(page, "#live .pill", "changing");
await look(page, "real-10-changing");
await says(page, "#live .pill", "running", { timeout: CHANGES_MS });
await says(page, "#live", "3 × worker");
await look(page, "real-11-three-workers");
tell("scaled from 2 workers to 3, with its difference shown before");

// The NameNode's own page, by the way that the page says.
const endpoint = page.locator(".endpoint", { hasText: "hadoop_namenode" });
assert.match(await endpoint.innerText(), new RegExp(`stampede tunnel ${NAME} hadoop_namenode`));
const namenode = await open({ isForeign: true });
await namenode.goto(await world("tunnel hadoop_namenode"));
await namenode.getByText("Live Nodes").waitFor();
const live = await namenode.locator("tr", { hasText: "Live Nodes" }).innerText();
assert.match(live, /Live Nodes\s+3/, live);
await snap(namenode, "real-12-namenode");
await world("close");
tell(`the NameNode's page through \`stampede tunnel\`: ${live.replace(/\s+/g, " ")}`);

// Its end: as it was asked for, put off by a click, and by what somebody types.
assert.match(await text(page, "#live"), /Ends in 1?\d\d min/);
for (const [number, putOff] of [() => press(page, "8 h from now"), () => page.fill("#end-other", "3d").then(() => press(page, "Set"))].entries()) {
  await page.locator("#d-end").evaluate((details) => (details.open = true));
  await putOff();
  await says(page, "#live", ["Ends in 7 h", "Ends in 2 days"][number]);
  await says(page, "#live .pill", "running");
}
const history = page.locator("#d-history");
await history.evaluate((details) => (details.open = true));
assert.match(await history.innerText(), /expires/);
await look(page, "real-13-extended");
tell("its end was put off, by a click and by an age, and nothing restarted");

await page.getByRole("link", { name: "Delete" }).click();
await look(page, "real-14-delete");
await page.fill("#name", NAME);
await press(page, "Delete");
await page.waitForURL(/deleted=pictures/);
await look(page, "real-15-deleting");
await says(page, "#live", "There is no cluster in this project yet", { timeout: GOES_MS });
tell("deleted by typing its name");
await press(page, "Sign out");
await says(page, "h1", "signed out");
await finish();
