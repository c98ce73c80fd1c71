"use strict";
// The page of a training run (tests/report/sample_run.cc), as a reader meets it.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { openBrowser, assertNoOverflow, assertContrast, shoot, interactive, pages } = require("./browser.cjs");

const plots = 3;
const mistakes = 24;
const skip = interactive() ? false : "built without the plotting library";
let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser.close());

const cell = (page, row, column) => page.locator(`#confusion tbody tr:nth-child(${row}) > :nth-child(${column})`);

test("looks right at two widths in two themes, needs nothing, complains of nothing", async () => {
  for (const width of [1440, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { page, complaints } = await browser.open("run.html", { width, scheme });
      await assertNoOverflow(page);
      await assertContrast(page);
      await shoot(page, `run-${width}-${scheme}`);
      assert.deepEqual(complaints, [], `${width} ${scheme}`);
      await page.close();
    }
  }
  assert.ok(fs.statSync(path.join(pages, "run.html")).size < 2e6);
});

test("text keeps its contrast on the darkest shade of the confusion matrix", async () => {
  for (const scheme of ["light", "dark"]) {
    const { page } = await browser.open("run.html", { scheme });
    const ratios = await page.evaluate(() => ["right", "wrong"].map((name) => {
      const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map((text) => Number(text) / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const [a, b] = [light(sepal.colour("ink")), light(sepal.colour(name))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }));
    for (const ratio of ratios) assert.ok(ratio >= 4.5, `${scheme}: ${ratio}`);
    await page.close();
  }
});

test("shades the confusion matrix, right and wrong apart, and sorts it", async () => {
  const { page, complaints } = await browser.open("run.html");
  assert.equal(await page.locator("#confusion tbody tr").count(), 10);
  const [right, wrong, none] = [cell(page, 7, 8), cell(page, 7, 9), cell(page, 1, 2 + 4)];
  assert.match(await right.getAttribute("class"), /\bshade right\b/);
  assert.match(await wrong.getAttribute("class"), /\bshade$/);
  const ground = (place) => place.evaluate((element) => getComputedStyle(element).backgroundImage);
  assert.notEqual(await ground(right), await ground(wrong));
  assert.match(await ground(wrong), /^linear-gradient/);
  assert.equal(await none.textContent(), "0");
  assert.equal(await ground(none), "none");
  const heading = page.locator("#confusion thead th").nth(7);
  assert.equal(await heading.textContent(), "Shirt");
  await heading.locator("button").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.textContent("#confusion tbody th"), "Shirt", "its own row has the most");
  assert.match(await cell(page, 1, 8).getAttribute("class"), /\bright\b/, "shades move with their cells");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("shows mistakes as pictures with words", async () => {
  const { page, complaints } = await browser.open("run.html");
  const pictures = await page.$$eval(".pictures img", (all) => all.map((image) => ({
    loaded: image.complete, width: image.naturalWidth, alt: image.alt, shown: image.getBoundingClientRect().width,
  })));
  assert.equal(pictures.length, mistakes);
  for (const picture of pictures) {
    assert.ok(picture.loaded && [28, 96].includes(picture.width), `${picture.alt} is ${picture.width} wide`);
    assert.ok(picture.shown >= 100);
  }
  assert.equal(pictures[7].alt, "image 2317: <script>alert(1)</script>, told as T-shirt/top, 92.98\u00a0%");
  assert.equal(await page.locator(".pictures b").nth(7).textContent(), "<script>alert(1)</script>");
  assert.equal(await page.$$eval("main script", (found) => found.length), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("draws its curves, which arrow keys walk along", { skip }, async () => {
  const { page, complaints } = await browser.open("run.html");
  assert.equal(await page.$$eval(".live .main-svg:first-child", (found) => found.length), plots);
  const traces = await page.$$eval('[data-figure="loss"] .live', ([plot]) => plot.data.map((trace) => trace.x.length));
  assert.deepEqual(traces, [469, 10, 10]);
  const low = await page.$eval('[data-figure="accuracy"] .live', (plot) => plot._fullLayout.yaxis.range[0]);
  assert.ok(low > 0 && low < 50, `accuracy is shown from ${low} %`);
  await page.locator('[data-figure="accuracy"] .live').focus();
  for (const key of ["ArrowRight", "ArrowDown", "ArrowDown", "End"]) await page.keyboard.press(key);
  assert.match(await page.textContent("#live"), /^validation, by epoch: epoch 10, step 4,220: 9\d\.\d\d %$/);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("prints in light colours, shades and pictures with it", async () => {
  const { page } = await browser.open("run.html", { scheme: "dark", width: 794 });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.equal(await page.$$eval(".still svg", (all) => all.filter((svg) => svg.getClientRects().length).length), plots);
  assert.equal(await page.$$eval(".pictures img", (all) => all.filter((image) => image.getClientRects().length).length), mistakes);
  assert.equal(await page.evaluate(() => sepal.colour("right")), "rgb(143, 196, 234)");
  await shoot(page, "run-print");
  await page.close();
});

test("is whole without scripts", async () => {
  const { page, complaints } = await browser.open("run.html", { scripts: false, width: 390 });
  await assertNoOverflow(page);
  assert.equal(await page.locator(".still svg").count(), plots);
  assert.equal(await page.locator(".pictures img").count(), mistakes);
  assert.deepEqual(complaints, []);
  await page.close();
});
