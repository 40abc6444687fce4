// Drives the page in a real browser: sign in, list, hear, seek, verify.
//
// node page.mjs LINK [--shots FOLDER]
//
// LINK is a fresh one-time link to a portal that holds at least one complete recording of four
// seconds or more whose sound is undamaged. Prints one line per check (TAP), then
// `N passed, N failed`; exit code 0 when all passed, 1 when not, 2 for wrong use.
// PLAYWRIGHT names the folder in which `npm install playwright-core` was run (default: the current
// one), CHROMIUM the browser (default: chromium from the path).

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { execFileSync } from "node:child_process";

const [link, flag, folder] = process.argv.slice(2);
if (!link || (flag && flag !== "--shots") || (flag && !folder)) {
  console.error("usage: node page.mjs LINK [--shots FOLDER]");
  process.exit(2);
}
const modules = resolve(process.env.PLAYWRIGHT ?? ".", "package.json");
const { chromium } = createRequire(modules)("playwright-core");
const executablePath =
  process.env.CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium"]).toString().trim();
if (folder) mkdirSync(folder, { recursive: true });

let passed = 0;
let failed = 0;

/** One check: a sentence, and what must not throw and must not be false. */
async function check(sentence, body) {
  let reason = null;
  try {
    if ((await body()) === false) reason = "it does not hold";
  } catch (error) {
    reason = String(error.message ?? error).split("\n")[0];
  }
  const number = passed + failed + 1;
  console.log(`${reason ? "not ok" : "ok"} ${number} - ${sentence}`);
  if (reason) console.log(`  # ${reason}`);
  if (reason) failed += 1;
  else passed += 1;
}

function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${found} instead of ${expected}`);
}

function near(found, expected, tolerance, what) {
  if (!(Math.abs(found - expected) <= tolerance)) {
    throw new Error(`${what}: ${found} is not within ${tolerance} of ${expected}`);
  }
}

const base = new URL("/", link).href;
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
});
const visit = (options = {}) =>
  browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 900 }, ...options });

const context = await visit();
const page = await context.newPage();
const complaints = [];
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) complaints.push(message.text());
});
page.on("pageerror", (error) => complaints.push(error.message));
const sounds = [];
page.on("response", (response) => {
  if (response.url().endsWith("/audio.wav")) sounds.push(response);
});
const place = () => page.evaluate(() => document.querySelector("audio").currentTime);
const shot = async (name, of = page) => {
  if (folder) await of.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
};

async function signIn() {
  await check("without a session nothing is shown but how to get in", async () => {
    const stranger = await visit();
    const tab = await stranger.newPage();
    const answer = await tab.goto(base);
    equal(answer.status(), 401, "status");
    equal(await tab.locator("table").count(), 0, "tables");
    await shot("stranger", tab);
    await stranger.close();
  });
  await check("the link leads to the list", async () => {
    await page.goto(link);
    await page.waitForURL(base);
    await page.locator("h1").waitFor();
  });
  await check("the link is dead afterwards", async () => {
    const second = await visit();
    const answer = await (await second.newPage()).goto(link);
    equal(answer.status(), 401, "status");
    await second.close();
  });
}

/** Opens the first recording that can be heard. */
async function openRecording() {
  const links = await page.locator("table.recordings tbody th a").evaluateAll((all) =>
    all.map((it) => it.getAttribute("href")));
  for (const href of links) {
    await page.goto(new URL(href, base).href);
    const long = Number(await page.locator(".player").getAttribute("data-duration-ms")
      .catch(() => 0));
    if (long >= 4000) return long / 1000;
  }
  throw new Error("no recording of four seconds or more in the list");
}

async function list() {
  await check("the list shows a recording with its verdict, ground and date of deletion", async () => {
    const row = page.locator("table.recordings tbody tr", { has: page.locator(".badge.good") });
    const text = await row.first().innerText();
    for (const part of ["recorded", "Consent"]) {
      if (!text.includes(part)) throw new Error(`the row lacks "${part}"`);
    }
    equal(await row.first().locator("time").count(), 2, "moments in the row");
  });
  await check("moments are shown in the reader's own time", async () => {
    const moment = page.locator("time").first();
    const shown = await moment.innerText();
    return !shown.includes("UTC") && (await moment.getAttribute("title")).endsWith("UTC");
  });
  await shot("list");
}

async function hear(duration) {
  await check("the waveform is drawn with both parties in it", async () => {
    await page.locator(".player[data-drawn=yes]").waitFor({ timeout: 20000 });
    const inked = await page.evaluate(() => {
      const canvas = document.querySelector(".canvas canvas");
      const paint = canvas.getContext("2d");
      const half = canvas.height / 2;
      const pixels = paint.getImageData(0, 0, canvas.width, canvas.height).data;
      const lanes = [new Set(), new Set()];
      for (let at = 0; at < pixels.length; at += 4) {
        const row = Math.floor(at / 4 / canvas.width);
        const lane = row < half ? 0 : 1;
        // Silence is a thin line in the middle of its lane; only what is louder counts.
        const isLoud = Math.abs(row - half * (lane + 0.5)) > 6 * devicePixelRatio;
        if (isLoud && pixels[at + 3] > 90) {
          lanes[lane].add(`${pixels[at] >> 5},${pixels[at + 1] >> 5}`);
        }
      }
      return lanes.map((lane) => [...lane].sort().join(" "));
    });
    if (!inked[0] || !inked[1]) throw new Error("a lane is empty");
    return inked[0] !== inked[1];
  });
  await check("no sound is fetched before somebody wants to hear it", () => sounds.length === 0);
  await check("it plays: the place advances", async () => {
    await page.evaluate(() => document.querySelector("audio").play());
    await page.waitForFunction(() => document.querySelector("audio").currentTime > 0.7);
    const long = await page.evaluate(() => document.querySelector("audio").duration);
    near(long, duration, 0.05, "duration");
  });
  await check("a click in the waveform jumps there and goes on playing", async () => {
    const box = await page.locator(".canvas").boundingBox();
    await page.mouse.click(box.x + box.width * 0.6, box.y + box.height * 0.3);
    const target = duration * 0.6;
    await page.waitForFunction((past) => document.querySelector("audio").currentTime > past,
      target + 0.2);
    near(await place(), target, 1.5, "place");
    const left = await page.locator(".head").evaluate((head) => parseFloat(head.style.left));
    near(left, (await place()) / duration * 100, 3, "playhead in per cent");
  });
  await check("the browser was served ranges", async () => {
    if (sounds.length === 0) throw new Error("no sound was fetched");
    for (const sound of sounds) equal(sound.status(), 206, "status");
  });
}

async function ranges() {
  await check("a range is exactly the bytes asked for, and none beyond the end", async () => {
    const found = await page.evaluate(async () => {
      const address = document.querySelector("audio").src;
      const ask = async (range) => {
        const answer = await fetch(address, { headers: { Range: range } });
        const size = answer.status === 206 ? (await answer.arrayBuffer()).byteLength : 0;
        return [answer.status, size, answer.headers.get("content-range")];
      };
      return [await ask("bytes=1000-1999"), await ask("bytes=-10"), await ask("bytes=999999999999-")];
    });
    equal(found[0].slice(0, 2).join(), "206,1000", "first range");
    if (!found[0][2].startsWith("bytes 1000-1999/")) throw new Error(found[0][2]);
    equal(found[1].slice(0, 2).join(), "206,10", "suffix");
    equal(found[2][0], 416, "beyond the end");
  });
  // Asking for more than there is makes Chromium complain on the console; that one is wanted.
  const wanted = complaints.findIndex((text) => text.includes("416"));
  if (wanted >= 0) complaints.splice(wanted, 1);
}

async function controls(duration) {
  await check("speed is chosen among five", async () => {
    equal(await page.locator("[name=speed]").count(), 5, "speeds");
    await page.locator("[name=speed][value='1.5']").check();
    equal(await page.evaluate(() => document.querySelector("audio").playbackRate), 1.5, "rate");
  });
  await check("the keyboard moves the place, starts and stops", async () => {
    const slider = page.locator(".canvas");
    await slider.focus();
    await page.evaluate(() => document.querySelector("audio").pause());
    await page.keyboard.press("Home");
    equal(await place(), 0, "place after Home");
    await page.keyboard.press("ArrowRight");
    near(await place(), Math.min(5, duration), 0.1, "place after the right arrow");
    await page.keyboard.press("Home");
    const paused = (wanted) => page.waitForFunction(
      (value) => document.querySelector("audio").paused === value, wanted);
    await page.keyboard.press("Space");
    await paused(false);
    await page.keyboard.press("Space");
    await paused(true);
    equal(await page.locator(".problem").first().isHidden(), true, "nothing is complained of");
  });
}

async function verify() {
  await check("verifying says that it is genuine and what was checked", async () => {
    await page.locator(".verify button").click();
    await page.locator(".result .verdict.good").waitFor({ timeout: 60000 });
    const findings = await page.locator(".result li").count();
    if (findings === 0) throw new Error("no finding is named");
    equal(await page.locator(".result li.bad").count(), 0, "bad findings");
  });
  await shot("recording");
}

async function looks() {
  const here = page.url();
  await check("the tab order reaches the player, the speeds and the verification", async () => {
    await page.goto(here);
    const reached = new Set();
    for (let step = 0; step < 25; step += 1) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => {
        const it = document.activeElement;
        return it.className || it.name || it.localName;
      }));
    }
    for (const part of ["skip", "brand", "canvas", "audio", "speed", "button"]) {
      if (!reached.has(part)) throw new Error(`${part} is not reached`);
    }
  });
  for (const colorScheme of ["light", "dark"]) {
    await check(`on a phone nothing sticks out (${colorScheme})`, async () => {
      const size = { width: 360, height: 740 };
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme });
      for (const [name, address] of [["list", base], ["recording", here]]) {
        await page.goto(address);
        if (name === "recording") await page.locator(".player[data-drawn=yes]").waitFor();
        await shot(`${name}-phone-${colorScheme}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > size.width) throw new Error(`${name} is ${wide} wide`);
      }
    });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "dark" });
  for (const [name, address] of [["list", base], ["recording", here]]) {
    await page.goto(address);
    if (name === "recording") await page.locator(".player[data-drawn=yes]").waitFor();
    await shot(`${name}-dark`);
  }
}

await signIn();
await list();
let duration = 0;
await check("a recording opens from the list", async () => {
  duration = await openRecording();
});
if (duration > 0) {
  await hear(duration);
  await ranges();
  await controls(duration);
  await verify();
  await looks();
}
await check("the browser had nothing to complain about", () => {
  if (complaints.length > 0) throw new Error(complaints.join(" | "));
});
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
