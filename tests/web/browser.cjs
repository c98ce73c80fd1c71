"use strict";
// A headless Chromium for the tests, and what they all ask of a page: that it needs nothing but its file and has
// nothing to complain of.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const pages = process.env.SEPAL_PAGES;
const screenshots = path.join(pages, "screenshots");

/** Every page under test: what is wrong with it is gathered in `complaints`. */
async function openBrowser() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), `sepal-browser-${process.pid}-`));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.SEPAL_CHROMIUM, headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  fs.mkdirSync(screenshots, { recursive: true });
  return {
    context,
    async open(name, { width = 1440, height = 900, scheme = "light", scripts = true } = {}) {
      const url = pathToFileURL(path.join(pages, name)).href;
      const page = scripts ? await context.newPage() : await withoutScripts(context);
      const complaints = [];
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        if (request.url().split("#")[0] !== url && !request.url().startsWith("data:")) complaints.push(`asks for ${request.url()}`);
      });
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await page.goto(url);
      if (scripts) await page.waitForSelector("html[data-ready]", { timeout: 60000 });
      return { page, complaints };
    },
    async close() {
      await context.close();
      fs.rmSync(profile, { recursive: true, force: true });
    },
  };
}

async function withoutScripts(context) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setScriptExecutionDisabled", { value: true });
  return page;
}

/** Nothing sticks out of the page sideways. */
async function assertNoOverflow(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, "the page scrolls sideways");
}

/** A picture of the whole page, for people to look at. */
const shoot = (page, name) => page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });

/** Text against what lies behind it, as WCAG 2.1 has it, for every element with text of its own. */
async function assertContrast(page) {
  const bad = await page.evaluate(() => {
    const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const c = parse(getComputedStyle(at).backgroundColor);
        if (c.length === 3 || c[3] === 1) return c;
      }
      return [255, 255, 255];
    };
    const found = [];
    for (const element of document.body.querySelectorAll("*")) {
      if (element.closest("script, .still, .unseen")) continue;
      if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
      if (!element.getClientRects().length) continue;
      const style = getComputedStyle(element);
      const [a, b] = [light(parse(element.closest("svg") ? style.fill : style.color)), light(behind(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) found.push(`${element.tagName} "${element.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
    }
    return found;
  });
  assert.deepEqual(bad, []);
}

/** Whether plots move in these pages, as sample_page was built. */
const interactive = () => /Licensed under the MIT license/.test(fs.readFileSync(path.join(pages, "report.html"), "utf8"));

module.exports = { openBrowser, assertNoOverflow, assertContrast, shoot, interactive, pages };
