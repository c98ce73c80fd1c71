"use strict";
// The learn page's formulas: against tables, closed forms, the page's own text, and the tool.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");

const web = path.join(__dirname, "../../sepal/report/web");
const formulas = require(path.join(web, "formulas.js"));

const layer = (properties) => ({ in: 1, out: 1, kernel: 1, side: 1, stride: 1, multiplier: 1, bias: false, ...properties });
const close = (a, b, by = 1e-12) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("counts are those of the papers", () => {
  const cases = [
    { why: "MobileNet's table 3", of: { in: 512, out: 512, kernel: 3, side: 14 },
      standard: [462422016, 2359296], separable: [52283392, 266752] },
    { why: "its alpha = 0.75", of: { in: 384, out: 384, kernel: 3, side: 14 }, separable: [29578752, 150912] },
    { why: "its rho = 0.714", of: { in: 384, out: 384, kernel: 3, side: 10 }, separable: [15091200, 150912] },
    { why: "3 to 32", of: { in: 3, out: 32, kernel: 3, side: 1 }, standard: [864, 864], separable: [123, 123] },
    { why: "3 to 32 with biases", of: { in: 3, out: 32, kernel: 3, side: 1, bias: true }, standard: [864, 896], separable: [123, 158] },
    { why: "a multiplier", of: { in: 3, out: 32, kernel: 3, side: 2, multiplier: 2 }, standard: [3456, 864], separable: [984, 246] },
  ];
  for (const { why, of, standard, separable } of cases) {
    for (const [form, wanted] of Object.entries({ standard, separable })) {
      if (!wanted) continue;
      const cost = formulas[form](layer(of));
      assert.deepEqual([cost.macs, cost.parameters], wanted, `${why}: ${form}`);
      assert.equal(cost.multiplications, cost.macs);
    }
  }
});

test("additions are one fewer than the terms of each sum, and one more for a bias", () => {
  const of = layer({ in: 2, out: 5, kernel: 3, side: 4, multiplier: 3 });
  assert.equal(formulas.standard(of).additions, 16 * 5 * 17);
  assert.equal(formulas.depthwise(of).additions, 16 * 6 * 8);
  assert.equal(formulas.pointwise(of).additions, 16 * 5 * 5);
  assert.equal(formulas.standard({ ...of, bias: true }).additions, 16 * 5 * 18);
});

test("the ratio is its closed form, floors and break-even included", () => {
  for (const out of [1, 3, 8, 512, 1024]) {
    for (const kernel of [1, 2, 3, 11, 1024]) {
      for (const multiplier of [1, 4]) {
        const of = layer({ in: 7, out, kernel, side: 5, multiplier });
        close(formulas.ratio(of).macs, formulas.closedRatio(of));
        assert.ok(formulas.closedRatio(of) > multiplier / out && formulas.closedRatio(of) > multiplier / (kernel * kernel));
        close(formulas.closedRatio({ ...of, multiplier: formulas.breakEven(of) }), 1);
      }
    }
  }
  const seeds = [32, 64, 128, 256, 512, 1024].map((kernel) => formulas.closedRatio(layer({ out: 3, kernel })).toFixed(6));
  assert.deepEqual(seeds, ["0.334310", "0.333577", "0.333394", "0.333349", "0.333337", "0.333334"]);
  assert.equal(formulas.ratio(layer({ in: 3, out: 32, kernel: 3 })).parameters.toFixed(6), "0.142361");
});

test("the page prints what the formulas say", () => {
  const text = fs.readFileSync(path.join(web, "learn.html"), "utf8").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
  const small = layer({ in: 3, out: 32, kernel: 3 });
  const [plain, biased] = [small, { ...small, bias: true }].map((one) => [formulas.standard(one).parameters, formulas.separable(one).parameters]);
  const keras = plain[1] + small.out;
  for (const number of [...plain, ...biased, keras]) assert.ok(text.includes(` ${number} `), `${number}`);
  for (const ratio of [plain[1] / plain[0], biased[1] / biased[0], keras / biased[0]]) assert.ok(text.includes(ratio.toFixed(6)), `${ratio}`);
});

test("convolution and correlation are their closed forms", () => {
  const { box, decay, triangle, gaussian, ramp, pulses } = formulas.shapes;
  for (let t = -3; t <= 6; t += 0.25) {
    close(formulas.convolution(box, box, t), Math.max(0, 1 - Math.abs(t - 1)), 1e-9);
    close(formulas.convolution(box, decay, t), t <= 0 ? 0 : t <= 1 ? 1 - Math.exp(-t) : Math.exp(1 - t) - Math.exp(-t), 1e-6);
    close(formulas.correlation(box, decay, t), t >= 1 ? 0 : t >= 0 ? 1 - Math.exp(t - 1) : Math.exp(t) - Math.exp(t - 1), 1e-6);
    close(formulas.convolution(decay, decay, t), t <= 0 ? 0 : t * Math.exp(-t), 1e-6);
    close(formulas.convolution(gaussian, gaussian, t), (Math.sqrt(Math.PI) / 2) * Math.exp(-t * t), 1e-4);
    for (const [f, g] of [[box, ramp], [triangle, decay], [pulses, gaussian]]) {
      close(formulas.convolution(f, g, t), formulas.convolution(g, f, t), 1e-3);
      close(formulas.correlation(f, g, t), formulas.correlation(g, f, -t), 1e-3);
    }
    // The limits 0 .. t are enough for functions that are zero below 0, and only for them.
    close(formulas.truncated(box, decay, t), formulas.convolution(box, decay, t), 1e-6);
  }
  assert.ok(formulas.truncated(gaussian, gaussian, 0) < 1e-6 && formulas.convolution(gaussian, gaussian, 0) > 0.88);
  assert.equal(formulas.convolution(box, box, 5), 0);
});

test("counts are those of `sepal cost --layer ... --json`", { skip: process.env.SEPAL_TOOL ? false : "SEPAL_TOOL is not set" }, () => {
  const cases = [
    { in: 512, out: 512, kernel: 3, side: 14 },
    { in: 3, out: 32, kernel: 3, side: 112, stride: 2 },
    { in: 3, out: 32, kernel: 3, side: 16, bias: true },
    { in: 24, out: 48, kernel: 5, side: 7, multiplier: 3, stride: 3, bias: true },
    { in: 1024, out: 1024, kernel: 11, side: 224 },
    { in: 1, out: 1, kernel: 1, side: 1 },
  ];
  for (const properties of cases) {
    const of = layer(properties);
    const text = `in=${of.in},out=${of.out},kernel=${of.kernel},size=${formulas.inputSide(of)},stride=${of.stride},`
      + `multiplier=${of.multiplier},bias=${of.bias ? 1 : 0}`;
    const said = JSON.parse(execFileSync(process.env.SEPAL_TOOL, ["cost", "--layer", text, "--json", "--quiet"], { encoding: "utf8" }));
    assert.deepEqual(said.layer.output_size, [of.side, of.side], text);
    for (const form of ["standard", "depthwise", "pointwise", "separable"]) {
      const ours = formulas[form](of);
      for (const key of ["macs", "multiplications", "additions", "parameters"]) {
        assert.equal(said[form][key], ours[key], `${text}: ${form}: ${key}`);
      }
    }
    close(said.ratio.macs, formulas.ratio(of).macs);
    close(said.ratio.parameters, formulas.ratio(of).parameters);
    close(said.break_even_multiplier, formulas.breakEven(of), 1e-9);
  }
});
