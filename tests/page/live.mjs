// Drives the page of a node while a call runs: pause, go on, an alarm, and what is kept of it.
//
// node live.mjs LINK [FOLDER]
//
// Prints a word when the page has come as far, and reads a line before it goes on: `paused` (line),
// `resumed`, `alarmed`, `quiet` (line, when the call is over and its recording stored), `kept`. Exit
// code 1 and a sentence when something does not come. FOLDER takes pictures. For PLAYWRIGHT and
// CHROMIUM see page.mjs.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { execFileSync } from "node:child_process";
import { createInterface } from "node:readline";

const [link, folder] = process.argv.slice(2);
const modules = resolve(process.env.PLAYWRIGHT ?? ".", "package.json");
const { chromium } = createRequire(modules)("playwright-core");
const executablePath =
  process.env.CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium"]).toString().trim();
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox"] });
const page = await browser.newPage({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(20000);
const complaints = [];
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) complaints.push(message.text());
});
page.on("pageerror", (error) => complaints.push(error.message));

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const shot = async (name) => {
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
};
const state = (text) => page.locator("table.running .badge", { hasText: text }).waitFor();

async function run() {
  const base = new URL("/", link).href;
  await page.goto(link);
  await page.waitForURL(base);
  await state("being recorded");
  // By the keyboard, which stays on the button while the table around it changes.
  await page.getByRole("button", { name: /^Pause the recording/ }).focus();
  await page.keyboard.press("Enter");
  await state("paused");
  const held = await page.evaluate(() => document.activeElement.textContent);
  if (!held.startsWith("Go on")) throw new Error(`the keyboard is lost: ${held}`);
  console.log("paused");
  await lines.next();
  await page.getByRole("button", { name: /^Go on/ }).click();
  await state("being recorded");
  console.log("resumed");
  const alarm = page.getByRole("alert").getByText("The customer is not heard");
  await alarm.waitFor();
  await shot("alarm");
  console.log("alarmed");
  await alarm.waitFor({ state: "detached" });
  console.log("quiet");
  await lines.next();
  await page.goto(base);
  await page.locator("table.recordings .pill", { hasText: "alarm" }).waitFor();
  await shot("kept-list");
  await page.locator("table.recordings tbody th a").first().click();
  await page.getByText("What went wrong in the call").waitFor();
  const told = await page.locator(".wrong li").innerText();
  if (!/^The customer is not heard from .* to /.test(told)) throw new Error(told);
  await shot("kept");
  if (complaints.length > 0) throw new Error(complaints.join(" | "));
  console.log("kept");
}

let failed = false;
try {
  await run();
} catch (error) {
  failed = true;
  console.log(String(error.message ?? error).split("\n")[0]);
  await shot("failed");
}
await browser.close();
process.exit(failed ? 1 : 0);
