"use strict";
// The page of `sepal learn` as a reader meets it.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { openBrowser, assertNoOverflow, assertContrast, shoot, interactive, pages } = require("./browser.cjs");

const plots = 7;
const skip = interactive() ? false : "built without the plotting library";
let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser.close());

/** Sets a slider by keyboard, from its first value. */
async function slide(page, id, steps) {
  await page.locator(id).focus();
  await page.keyboard.press("Home");
  for (let i = 0; i < steps; ++i) await page.keyboard.press("ArrowRight");
}
const traces = (page, id) => page.$eval(`[data-figure="${id}"] .live`, (plot) => plot.data.map((trace) => ({ x: trace.x, y: trace.y })));

test("looks right at two widths in two themes, needs nothing, complains of nothing", async () => {
  for (const width of [1440, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { page, complaints } = await browser.open("learn.html", { width, scheme });
      await assertNoOverflow(page);
      await assertContrast(page);
      await shoot(page, `learn-${width}-${scheme}`);
      assert.deepEqual(complaints, [], `${width} ${scheme}`);
      await page.close();
    }
  }
  assert.ok(fs.statSync(path.join(pages, "learn.html")).size < 2e6);
});

test("one function slides over another", async () => {
  const { page, complaints } = await browser.open("learn.html");
  const said = () => page.textContent("#sliding-readout");
  assert.equal(await said(), "At t = 1.00 the convolution is 0.6321, the correlation 0.0000.");
  await page.locator("#slide-t").focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await said(), /^At t = 1\.05 /);
  assert.equal(await page.getAttribute("#slide-t", "aria-valuetext"), "t = 1.05");
  await page.selectOption("#shape-g", "box");
  for (let i = 0; i < 9; ++i) await page.keyboard.press("ArrowRight");
  await page.locator("#slide-t").fill("1.5");
  assert.equal(await said(), "At t = 1.50 the convolution is 0.5000, the correlation 0.0000.");
  if (!skip) {
    const [line, now, limits] = await traces(page, "convolution-result");
    assert.deepEqual(now, { x: [1.5], y: [line.y[90]] });
    assert.equal(line.y[91], null, "drawn up to t");
    assert.ok(Math.abs(line.y[80] - 1) < 1e-9);
    assert.ok(Math.abs(limits.y[80] - 1) < 1e-9, "both functions are zero below 0");
    const fill = await page.$eval('[data-figure="convolution-overlap"] .js-fill', (area) => getComputedStyle(area).fillOpacity);
    assert.ok(Number(fill) > 0);
    await page.selectOption("#shape-f", "gaussian");
    await page.locator("#slide-t").fill("0");
    const [whole, , short] = await traces(page, "convolution-result");
    assert.ok(short.y[60] < whole.y[60] / 2, "the Gaussian is not zero below 0");
  }
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a layer's numbers follow its sliders", async () => {
  const { page, complaints } = await browser.open("learn.html", { width: 390 });
  const cells = () => page.$$eval("#counts tbody tr", (rows) => rows.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent)));
  assert.deepEqual((await cells())[0], ["462,422,016", "462,321,664", "2,359,296"]);
  assert.deepEqual((await cells())[3].filter((_, i) => i !== 1), ["52,283,392", "266,752"]);
  await slide(page, "#layer-in", 2);       // 3
  await slide(page, "#layer-out", 7);      // 32
  await slide(page, "#layer-side", 0);     // 1
  assert.equal(await page.getAttribute("#layer-out", "aria-valuetext"), "32");
  assert.deepEqual((await cells()).map((row) => row[2]), ["864", "27", "96", "123"]);
  assert.match(await page.textContent("#verdict"), /= 0\.142361: 7\.02 times fewer MACs\./);
  await slide(page, "#layer-kernel", 0);   // 1
  assert.match(await page.textContent("#verdict"), /separating does not pay/);
  await slide(page, "#layer-stride", 2);   // 3
  assert.match(await page.textContent("#stages-standard"), /input3 × 3 × 3.*output1 × 1 × 32/);
  await slide(page, "#layer-multiplier", 1);
  assert.match(await page.textContent("#stages-separable"), /filtering: a channel each6 of 1 × 1 × 1/);
  if (!skip) {
    const bars = await traces(page, "both-forms");
    assert.deepEqual(bars.map((bar) => bar.y[0]), [96, 6, 192]);
  }
  await assertNoOverflow(page);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("draws its plots, which arrow keys walk", { skip }, async () => {
  const { page, complaints } = await browser.open("learn.html");
  assert.equal(await page.$$eval(".live .main-svg:first-child", (found) => found.length), plots);
  await page.locator('[data-figure="ratio-seeds"] .live').focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await page.textContent("#live"), /^N = 3: .*0?\.334310/);
  await page.locator('[data-figure="convolution-result"] .live').focus();
  await page.keyboard.press("End");
  assert.equal(await page.textContent("#live"), "f ∗ g: 1: 0.6321", "the last that is drawn");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("prints and reads without scripts", async () => {
  const { page, complaints } = await browser.open("learn.html", { scripts: false });
  assert.equal(await page.locator(".still svg").count(), plots);
  assert.ok(await page.locator(".noscript").isVisible());
  assert.equal(await page.locator(".controls:visible").count(), 0);
  await assertNoOverflow(page);
  await shoot(page, "learn-still");
  assert.deepEqual(complaints, []);
  await page.close();
});
