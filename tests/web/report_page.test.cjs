"use strict";
// The page that to_html() writes of tests/report/sample.cc, as a reader meets it.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { openBrowser, assertNoOverflow, assertContrast, shoot, interactive, pages } = require("./browser.cjs");

const nasty = ["<script>alert(1)</script>", "=1+1", "</script><b>\"quoted\" & 'single'", "📷 畳み込み"];
const plots = 7;
const moving = interactive();
const skip = moving ? false : "built without the plotting library";
let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser.close());

const column = (page, index) => page.$$eval("#layers tbody tr", (rows, i) => rows.map((row) => row.cells[i].textContent), index);
const hovered = (page, id) => page.$$eval(`[data-figure="${id}"] .hoverlayer text`, (texts) => texts.map((text) => text.textContent));

test("looks right at two widths in two themes, needs nothing, complains of nothing", async () => {
  for (const width of [1440, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { page, complaints } = await browser.open("report.html", { width, scheme });
      await assertNoOverflow(page);
      await assertContrast(page);
      await shoot(page, `report-${width}-${scheme}`);
      assert.deepEqual(complaints, [], `${width} ${scheme}`);
      await page.close();
    }
  }
});

test("is one file under 2 MB", () => {
  assert.ok(fs.statSync(path.join(pages, "report.html")).size < 2e6);
});

test("shows strangers' names as they are", async () => {
  const { page, complaints } = await browser.open("report.html");
  page.on("dialog", () => complaints.push("a dialog"));
  const names = await column(page, 0);
  for (const name of nasty) assert.ok(names.includes(name), name);
  assert.equal(await page.$$eval("main b, main script", (found) => found.length), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("draws every bar, line and point", { skip }, async () => {
  const { page } = await browser.open("report.html");
  assert.equal(await page.$$eval(".live .main-svg:first-child", (found) => found.length), plots);
  const count = (id, what) => page.$$eval(`[data-figure="${id}"] ${what}`, (found) => found.length);
  assert.equal(await count("macs-by-layer", ".bars .point"), 58);
  assert.equal(await count("shares", ".bars .point"), 8);
  assert.equal(await count("memory", ".scatterlayer .js-line"), 3);
  assert.equal(await count("roofline", ".scatterlayer .point"), 28);
  assert.equal(await count("ratios", ".scatterlayer .point"), 88);
  // Plots overlap nothing: legends, titles and ticks lie within their boxes.
  for (const box of await page.$$(".plot")) {
    const outer = await box.boundingBox();
    for (const part of await box.$$(".legend, .xtitle, .ytitle, .g-xtitle, .xtick, .ytick")) {
      const inner = await part.boundingBox();
      if (!inner) continue;
      assert.ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width, "sticks out sideways");
      assert.ok(inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height, "sticks out");
    }
  }
  await page.close();
});

test("says exact figures on hover", { skip }, async () => {
  const { page } = await browser.open("report.html");
  const bar = page.locator('[data-figure="macs-by-layer"] .bars .point').nth(2);
  await bar.scrollIntoViewIfNeeded();
  const box = await bar.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.waitForSelector('[data-figure="macs-by-layer"] .hoverlayer text');
  const texts = (await hovered(page, "macs-by-layer")).join(" ");
  assert.ok(texts.includes("<script>alert(1)</script>: 25,690,112"), texts);
  const point = page.locator('[data-figure="seeds"] .scatterlayer .point').first();
  await point.scrollIntoViewIfNeeded();
  const place = await point.boundingBox();
  await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
  await page.waitForSelector('[data-figure="seeds"] .hoverlayer text');
  assert.ok((await hovered(page, "seeds")).join(" ").includes("D_K 32: 0.3343098958333333"));
  await page.close();
});

test("offers nothing that leaves the page; a plot can be saved as SVG", { skip }, async () => {
  const { page, complaints } = await browser.open("report.html");
  const plot = page.locator('[data-figure="seeds"]');
  await plot.scrollIntoViewIfNeeded();
  await plot.hover();
  const buttons = await plot.locator(".modebar-btn").evaluateAll((all) => all.map((button) => button.dataset.title));
  assert.deepEqual(buttons, ["Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes", "Download plot"]);
  const [download] = await Promise.all([page.waitForEvent("download"), plot.locator('[data-title="Download plot"]').click()]);
  assert.equal(download.suggestedFilename(), "seeds.svg");
  assert.match(fs.readFileSync(await download.path(), "utf8"), /^<svg/);
  assert.deepEqual(complaints.filter((text) => !text.startsWith("asks for blob:")), []);
  await page.close();
});

test("names as many layers as there is room for, zoomed and resized", { skip }, async () => {
  const { page, complaints } = await browser.open("report.html");
  const names = () => page.$$eval('[data-figure="many"] .xtick', (ticks) => ticks.length);
  const wide = await names();
  assert.ok(wide > 20 && wide < 60, `${wide} of 200`);
  const drag = page.locator('[data-figure="many"] .nsewdrag').first();
  await drag.scrollIntoViewIfNeeded();
  const box = await drag.boundingBox();
  await page.mouse.move(box.x + 300, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 350, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelectorAll('[data-figure="many"] .xtick').length < 20);
  await page.setViewportSize({ width: 500, height: 800 });
  await page.waitForFunction((before) => {
    const now = document.querySelectorAll('[data-figure="many"] .xtick').length;
    return now > 5 && now < before / 2;
  }, wide);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("keeps the height of a plot, however long its legend", { skip }, async () => {
  const { page, complaints } = await browser.open("report.html", { width: 390 });
  for (const [id, height] of await page.$$eval(".live", (all) => all.map((live) => [live.figure.id, live._fullLayout._size.h])))
    assert.ok(height >= 200, `${id} is ${height} high`);
  // A roofline of every kind of layer, under every level of memory.
  const many = (count) => page.evaluate((wanted) => {
    const figure = sepal.figures.get("roofline");
    const series = [...Array(wanted).keys()].map((i) => ({ ...figure.series[0], name: `some kind of layer, number ${i}` }));
    sepal.draw(document.querySelector('[data-figure="roofline"]'), { ...figure, series });
    const live = document.querySelector('[data-figure="roofline"] .live');
    const box = (part) => live.querySelector(part).getBoundingClientRect();
    const entries = [...live.querySelectorAll(".legend .traces")].map((entry) => entry.getBoundingClientRect().bottom);
    return {
      plot: live._fullLayout._size.h, outer: live.getBoundingClientRect().height, drawn: box(".main-svg").height,
      legend: box(".legend").bottom, last: Math.max(...entries), top: box(".bglayer").top || box(".nsewdrag").top,
    };
  }, count);
  const tall = await many(18);
  assert.ok(tall.plot >= 200, `${tall.plot}`);
  assert.ok(tall.outer >= tall.drawn, "the box grows with the plot");
  assert.ok(tall.last <= tall.legend + 1, "the last entry is seen without scrolling");
  await shoot(page, "report-390-long-legend");
  const small = await many(2);
  assert.ok(small.drawn < tall.drawn && small.plot >= 200, "and becomes small again");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("labels layers by what tells them apart", { skip }, async () => {
  const { page } = await browser.open("report.html");
  const labels = (names) => page.evaluate((all) => sepal.shortenedAlike(all, 20), names);
  assert.deepEqual(await labels(["stem", "block10/depthwise + pointwise", "block11/depthwise + pointwise"]),
    ["stem", "block10/depthwise +\u2026", "block11/depthwise +\u2026"], "differ at the start");
  assert.deepEqual(await labels(["features.features.features.conv1", "features.features.features.conv2"]),
    ["featur\u2026eatures.conv1", "featur\u2026eatures.conv2"], "differ at the end");
  assert.deepEqual(await labels(["a_long_name_of_a_layer/x/tail_one", "a_long_name_of_a_layer/x/tail_one"]),
    ["a_long\u2026er/x/tail_one", "a_long\u2026er/x/tail_one"], "are the same");
  await page.close();
});

test("can be walked by arrow keys, which say each point aloud", { skip }, async () => {
  const { page, complaints } = await browser.open("report.html");
  const plot = page.locator('[data-figure="ratios"] .live');
  await plot.focus();
  const said = () => page.textContent("#live");
  assert.equal(await plot.getAttribute("aria-label"), "Separable over standard, by kernel size");
  await page.keyboard.press("ArrowRight");
  assert.equal(await said(), "N = 8: D_K 1: 1.125");
  await page.keyboard.press("ArrowRight");
  assert.equal(await said(), "N = 8: D_K 2: 0.375");
  await page.keyboard.press("ArrowDown");
  assert.equal(await said(), "N = 16: D_K 2: 0.3125");
  await page.waitForFunction(() => [...document.querySelectorAll('[data-figure="ratios"] .hoverlayer text')]
    .some((text) => text.textContent.includes("D_K 2: 0.3125")));
  await page.keyboard.press("End");
  assert.match(await said(), /^N = 16: D_K 11: 0\.0707/);
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await said(), "N = 16: D_K 1: 1.0625");
  await page.keyboard.press("Escape");
  assert.equal(await said(), "");
  await page.waitForFunction(() => !document.querySelector('[data-figure="ratios"] .hoverlayer text'));
  // What cannot be drawn is passed over: the stacked bars of one kind lie on every second layer.
  await page.locator('[data-figure="many"] .live').focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await said(), "pointwise: features.0.conv.0.pointwise: 4,000");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("sorts tables by mouse and by keyboard", async () => {
  const { page } = await browser.open("report.html");
  const first = (await column(page, 0))[0];
  const heading = page.locator("#layers thead th").nth(2);
  await heading.locator("button").click();
  assert.equal(await heading.getAttribute("aria-sort"), "descending");
  assert.equal(await page.textContent("#live"), "Sorted by MACs, descending");
  const macs = (await column(page, 2)).map((text) => (text === "-" ? NaN : Number(text.replaceAll(",", ""))));
  assert.equal(macs[0], 51380224);
  assert.ok(Number.isNaN(macs.at(-1)), "nothing is last");
  for (let i = 1; i < macs.length - 1; ++i) assert.ok(macs[i] <= macs[i - 1]);
  await heading.locator("button").focus();
  await page.keyboard.press("Enter");
  assert.equal(await heading.getAttribute("aria-sort"), "ascending");
  assert.equal((await column(page, 2))[0], "225,792");
  assert.equal((await column(page, 2)).at(-1), "-");
  const names = page.locator("#layers thead th").first();
  await names.locator("button").focus();
  await page.keyboard.press("Space");
  assert.equal(await names.getAttribute("aria-sort"), "ascending");
  assert.equal(await heading.getAttribute("aria-sort"), "none");
  assert.notEqual((await column(page, 0))[0], first);
  assert.equal(await page.textContent("#layers tfoot th"), "all", "the total stays");
  await page.close();
});

test("turns dark and light at a button, plots with it", async () => {
  const { page } = await browser.open("report.html");
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.locator("#theme").focus();
  await page.keyboard.press("Enter");
  assert.equal(await paper(), "rgb(20, 24, 29)");
  assert.equal(await page.textContent("#theme"), "Light");
  if (moving) {
    const fill = await page.$eval('[data-figure="shares"] .bars .point path', (bar) => getComputedStyle(bar).fill);
    assert.equal(fill, "rgb(90, 180, 239)");
  }
  await assertContrast(page);
  await page.close();
});

test("prints in light colours, the still plots in the place of the moving ones", async () => {
  const { page } = await browser.open("report.html", { scheme: "dark", width: 794 });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.equal(await page.locator("#theme").isVisible(), false);
  assert.equal(await page.$$eval(".still svg", (all) => all.filter((svg) => svg.getClientRects().length).length), plots);
  assert.equal(await page.$$eval(".live", (all) => all.filter((live) => live.getClientRects().length).length), 0);
  assert.equal(await page.$eval(".still .s0", (bar) => getComputedStyle(bar).color), "rgb(10, 104, 168)");
  await shoot(page, "report-print");
  await page.close();
});

test("is whole without scripts", async () => {
  const { page, complaints } = await browser.open("report.html", { scripts: false, width: 390 });
  await assertNoOverflow(page);
  assert.equal(await page.locator(".still svg").count(), plots);
  assert.equal(await page.locator("#layers tbody tr").count(), 29);
  await shoot(page, "report-still");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("can be reached by keyboard from the start", async () => {
  const { page } = await browser.open("report.html");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.close();
});
