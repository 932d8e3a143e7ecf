// Goes through the dashboard of a running hob in a real browser, as an operator would. The Rust test beside it starts hob
// and tells what is there; a failure names what was expected.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const setting = JSON.parse(process.argv[2]);
const { address, chromium: executablePath, shots, packages, email, parked, failed, link } = setting;
const require = createRequire(join(packages, "node_modules/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const host = new URL(address).host;
mkdirSync(shots, { recursive: true });

// What the pages must live with, whether or not this hob sends it.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PAGES = [
  ["now", "/"],
  ["runs", "/runs"],
  ["runs-parked", "/runs?state=parked"],
  ["cause", link.slice(address.length)],
  ["run-failed", `/runs/${failed}`],
  ["run-parked", `/runs/${parked}`],
  ["find", `/find?q=${encodeURIComponent(email)}`],
  ["find-nothing", "/find?q=nobody%40example.org"],
  ["recipes", "/recipes"],
  ["recipe", "/recipes/leads"],
  ["versions", "/recipes/leads/versions"],
  ["connections", "/connections"],
  ["fleet", "/fleet"],
  ["catalog", "/catalog?q=contacts"],
  ["operation", "/catalog/contacts.upsert"],
  ["try", "/catalog/contacts.upsert/try"],
  ["audit-log", "/audit-log"],
  ["absent", "/runs/run_00000000"],
];

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const complaints = [];

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.route("**/*", async (route) => {
    const url = new URL(route.request().url());
    if (url.host !== host) {
      complaints.push(`a request to ${url.host}`);
      return route.abort();
    }
    // A stream has no end to wait for.
    if (url.pathname === "/changes") return route.continue();
    const response = await route.fetch({ maxRedirects: 0 }).catch(() => null);
    if (!response) return route.abort().catch(() => {});
    const headers = { ...response.headers() };
    headers["content-security-policy"] ??= POLICY;
    return route.fulfill({ response, headers }).catch(() => {});
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    // Chromium reports the status of the page that is absent on purpose.
    const isStatus = message.text().includes("status of 404");
    if (message.type() === "error" && !isStatus) complaints.push(`console: ${message.text()} at ${page.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message} at ${page.url()}`));
  return page;
}

async function visit(page, path) {
  await page.goto(address + path, { waitUntil: "load" });
}

async function check(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, nodes } of violations) {
    complaints.push(`axe: ${name}: ${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
  }
  const [wide, seen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  if (wide > seen) complaints.push(`${name} is ${wide} px wide in ${seen} px`);
}

async function pages() {
  for (const [kind, options] of [
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
  ]) {
    const page = await open(options);
    for (const [name, path] of PAGES) {
      await visit(page, path);
      if (name === "now") await page.waitForSelector(".plot canvas");
      await check(page, `${name}, ${kind}`);
      await page.screenshot({ path: join(shots, `${name}-${kind}.png`), fullPage: true });
    }
    await page.context().close();
  }
}

// From the link of an alert to the cause, to the place in the recipe, which is mended, to retried; clicks are counted.
async function retry() {
  const page = await open();
  assert.ok(link.startsWith(`${address}/`), link);
  await page.goto(link, { waitUntil: "load" });
  let clicks = 0;
  const click = async (locator) => {
    clicks += 1;
    await locator.click();
    await page.waitForLoadState("load");
  };
  const problem = page.locator(".problem", { hasText: "leads" });
  await assert.doesNotReject(problem.getByText("3 runs", { exact: true }).waitFor(), "the cause tells its runs");
  await click(problem.getByRole("link", { name: /recipes\/leads\.yaml:\d+/ }));
  const marked = page.locator(".source tr.failed");
  assert.match(await marked.innerText(), /contacts\.get/, "the step that failed is marked");
  assert.ok(await marked.evaluate((line) => line.getBoundingClientRect().top < innerHeight), "and seen");
  await check(page, "place");
  await page.screenshot({ path: join(shots, "place.png"), fullPage: true });
  // A slip of the pen first: what was loaded before stays in use, and the page says why.
  writeFileSync(setting.recipe, setting.mended.replace("contacts.get", "contacts.got"));
  await page.getByText("Its file has mistakes").waitFor();
  await check(page, "mistake");
  writeFileSync(setting.recipe, setting.mended);
  await page.locator(".source").getByText("somebody").waitFor();
  await click(page.getByRole("link", { name: "Retry…" }));
  await page.getByText("3 runs will be retried").waitFor();
  await page.getByText("changed since they began").waitFor();
  await check(page, "preview");
  await page.screenshot({ path: join(shots, "preview.png"), fullPage: true });
  await click(page.getByRole("button", { name: "Retry: 3 runs" }));
  await page.getByText("3 runs were retried").waitFor();
  await page.getByText("They went on with leads as it is now").waitFor();
  await check(page, "result");
  await page.screenshot({ path: join(shots, "result.png"), fullPage: true });
  assert.ok(clicks <= 4, `${clicks} clicks`);
  // What has changed is one more click away.
  await click(page.getByRole("link", { name: "changed since they began" }));
  await page.locator("tr.added", { hasText: "somebody" }).waitFor();
  console.log(`${clicks - 1} clicks from the alert to retried`);
  await page.context().close();
}

async function find() {
  const page = await open();
  await visit(page, "/");
  await page.getByRole("navigation").getByRole("link", { name: "Find" }).click();
  await page.getByRole("searchbox").fill(email.toUpperCase());
  await page.keyboard.press("Enter");
  await page.locator(".timeline .run").first().waitFor();
  await page.locator(".timeline .write").first().waitFor();
  await page.locator(".timeline .run a", { hasText: "run" }).first().click();
  await page.getByRole("heading", { level: 1, name: /Run of/ }).waitFor();
  await page.context().close();
}

// Without scripts, by keyboard.
async function pause() {
  const page = await open({ javaScriptEnabled: false });
  await visit(page, "/recipes");
  await page.getByRole("link", { name: "sweep" }).first().click();
  await page.getByRole("button", { name: "Pause" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("h1 .chip", { hasText: "paused" }).waitFor();
  await visit(page, "/");
  await page.getByRole("button", { name: "Resume sweep" }).click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.context().close();
}

async function resolve() {
  const page = await open();
  await visit(page, "/");
  await page.locator(".problem.parked").getByRole("link", { name: "the newest run" }).click();
  await page.getByRole("button", { name: "It did not happen" }).click();
  await page.getByText("Done: it was resolved").waitFor();
  await page.context().close();
}

// On one account alone, on the page of all accounts.
async function pauseOn() {
  const page = await open();
  await visit(page, "/fleet");
  await page.getByRole("button", { name: "Pause sweep on fitr" }).click();
  await page.getByRole("button", { name: "Resume sweep on fitr" }).waitFor();
  await check(page, "fleet with a pause");
  await page.screenshot({ path: join(shots, "fleet-paused.png"), fullPage: true });
  await visit(page, "/");
  await check(page, "now with a pause on an account");
  await page.getByRole("button", { name: "Resume sweep on fitr" }).click();
  await page.getByRole("button", { name: "Pause sweep on fitr" }).waitFor();
  await page.context().close();
}

// Without scripts.
async function tryOut() {
  const page = await open({ javaScriptEnabled: false });
  await visit(page, "/catalog/contacts.upsert");
  await page.getByRole("link", { name: "Try it on a sandbox…" }).click();
  await page.getByLabel(/^email/).fill("try@example.com");
  await page.getByRole("button", { name: "Try it on the sandbox" }).click();
  await page.getByText("POST /contacts/upsert").waitFor();
  await page.context().close();
  const seen = await open();
  await visit(seen, "/catalog/contacts.get/try");
  await seen.getByRole("button", { name: "Try it on the sandbox" }).click();
  await seen.getByText("Answer 200").waitFor();
  await check(seen, "tried");
  await seen.screenshot({ path: join(shots, "tried.png"), fullPage: true });
  await seen.context().close();
}

// An open page learns by itself that all is well.
async function refresh() {
  const page = await open();
  await visit(page, "/");
  await page.locator(".calm").waitFor({ timeout: 60000 });
  await check(page, "calm");
  await page.screenshot({ path: join(shots, "calm.png"), fullPage: true });
  await page.context().close();
}

const TASKS = { pages, find, pause, pauseOn, tryOut, retry, resolve, refresh };
for (const [name, task] of Object.entries(TASKS)) {
  const begun = Date.now();
  await task();
  console.log(`${name}: ${Date.now() - begun} ms`);
}
await browser.close();
assert.deepEqual([...new Set(complaints)], []);
