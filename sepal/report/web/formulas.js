"use strict";
// The arithmetic of the learn page and nothing else: pure functions, the same in a page and under Node. A layer is
// { in, out, kernel, side, stride, multiplier, bias }: M, N, D_K, D_G (the side of the output), the stride, filters a
// channel, and whether each stage has biases. tests/web/formulas.test.cjs holds it against tables and against
// `sepal cost --layer ... --json`. Exact while counts stay below 2^53.
const formulas = (() => {
  const area = (layer) => layer.kernel * layer.kernel;
  const places = (layer) => layer.side * layer.side;

  /** One convolution stage: `outputs` values at each place, each a sum of `terms` products; `filters` are learned. */
  function stage(layer, outputs, terms) {
    const biases = layer.bias ? outputs : 0;
    const multiplications = places(layer) * outputs * terms;
    return {
      macs: multiplications,
      multiplications,
      // A sum of n terms is n - 1 additions, and one more where a bias comes to it.
      additions: places(layer) * outputs * (terms - 1 + (layer.bias ? 1 : 0)),
      parameters: outputs * terms + biases,
    };
  }

  const standard = (layer) => stage(layer, layer.out, area(layer) * layer.in);
  const depthwise = (layer) => stage(layer, layer.multiplier * layer.in, area(layer));
  const pointwise = (layer) => stage(layer, layer.out, layer.multiplier * layer.in);

  function separable(layer) {
    const [filtering, combining] = [depthwise(layer), pointwise(layer)];
    return Object.fromEntries(Object.keys(filtering).map((key) => [key, filtering[key] + combining[key]]));
  }

  /** separable / standard. */
  function ratio(layer) {
    const [one, other] = [separable(layer), standard(layer)];
    return { macs: one.macs / other.macs, parameters: one.parameters / other.parameters };
  }

  /** The same in MACs by its closed form: multiplier (1 / N + 1 / D_K^2). */
  const closedRatio = (layer) => layer.multiplier * (1 / layer.out + 1 / area(layer));

  /** The multiplier at which both cost the same: N A / (N + A), A = D_K^2. */
  const breakEven = (layer) => (layer.out * area(layer)) / (layer.out + area(layer));

  /** The side of the input that gives this output, its edges padded ("same"). */
  const inputSide = (layer) => layer.stride * layer.side;

  // ---- one function sliding over another

  /** Functions of one variable, zero below `from` and from `to` on. */
  const shapes = {
    box: { name: "box", from: 0, to: 1, at: () => 1 },
    triangle: { name: "triangle", from: 0, to: 2, at: (x) => 1 - Math.abs(x - 1) },
    ramp: { name: "ramp", from: 0, to: 1.5, at: (x) => x / 1.5 },
    decay: { name: "exponential decay", from: 0, to: 8, at: (x) => Math.exp(-x) },
    gaussian: { name: "Gaussian", from: -3, to: 3, at: (x) => Math.exp(-2 * x * x) },
    pulses: { name: "two pulses", from: 0, to: 2, at: (x) => (x < 0.4 ? 1 : x > 1.6 ? 0.5 : 0) },
  };
  const value = (shape, x) => (x >= shape.from && x < shape.to ? shape.at(x) : 0);

  /** The integral of `product` over from .. to by midpoints; none where they are the wrong way round. */
  function integral(product, from, to) {
    if (!(to > from)) return 0;
    const parts = 2000;
    const width = (to - from) / parts;
    let sum = 0;
    for (let i = 0; i < parts; ++i) sum += product(from + (i + 0.5) * width);
    return sum * width;
  }

  /** (f * g)(t): the integral of f(x) g(t - x), g turned round. Only where both are there is there something to sum. */
  const convolution = (f, g, t) => integral((x) => value(f, x) * value(g, t - x),
    Math.max(f.from, t - g.to), Math.min(f.to, t - g.from));

  /** The same with the limits 0 .. t that are often printed: right only where both functions are zero below 0. */
  const truncated = (f, g, t) => integral((x) => value(f, x) * value(g, t - x),
    Math.max(0, f.from, t - g.to), Math.min(t, f.to, t - g.from));

  /** What networks compute and call convolution: the integral of f(x) g(x - t), g as it is. */
  const correlation = (f, g, t) => integral((x) => value(f, x) * value(g, x - t),
    Math.max(f.from, t + g.from), Math.min(f.to, t + g.to));

  return {
    standard, depthwise, pointwise, separable, ratio, closedRatio, breakEven, inputSide, shapes, value, convolution,
    truncated, correlation,
  };
})();
if (typeof module !== "undefined") module.exports = formulas;
