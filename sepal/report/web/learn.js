"use strict";
// What makes the learn page answer: functions to choose and a place to slide to, and a layer's numbers on sliders.
// All arithmetic is in formulas.js, all drawing of plots in page.js.
(() => {
  const byId = (id) => document.getElementById(id);
  const count = (value) => value.toLocaleString("en-US");
  const digits = (value, after = 4) => value.toFixed(after);
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  /** Draws a figure of the page with other series. */
  function redraw(id, change) {
    const figure = sepal.figures.get(id);
    Object.assign(figure, change);
    // page.js draws the figures one after another; one whose turn has not come is drawn with this change then.
    const place = document.querySelector(`.plot[data-figure="${id}"]`);
    if (place.classList.contains("drawn") || document.documentElement.dataset.ready) sepal.draw(place, figure);
  }

  // ---- sliding

  const [from, to, step] = [-3, 6, 0.05];
  const along = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => Number((from + i * step).toFixed(2)));
  const curves = new Map();  // of the two functions, so that sliding only cuts them

  function curvesOf(f, g) {
    const key = `${f.name} ${g.name}`;
    if (!curves.has(key)) {
      curves.set(key, {
        convolution: along.map((t) => formulas.convolution(f, g, t)),
        truncated: along.map((t) => formulas.truncated(f, g, t)),
        correlation: along.map((t) => formulas.correlation(f, g, t)),
      });
    }
    return curves.get(key);
  }

  function line(name, values, extra = {}) {
    return {
      name, mark: "line", smooth: true, x: along, y: values,
      text: values.map((value, i) => (value === null ? "" : `${along[i]}: ${digits(value)}`)), ...extra,
    };
  }

  function showSliding() {
    const [f, g] = [formulas.shapes[byId("shape-f").value], formulas.shapes[byId("shape-g").value]];
    const slider = byId("slide-t");
    const t = Number(slider.value);
    const now = along.findIndex((x) => Math.abs(x - t) < step / 2);
    const all = curvesOf(f, g);
    const fine = Array.from({ length: 721 }, (_, i) => from + (i * (to - from)) / 720);
    const over = (at) => ({ x: fine, y: fine.map(at), text: fine.map((x) => `τ = ${digits(x, 2)}: ${digits(at(x))}`) });
    const overlap = (turned) => {
      const other = turned ? (x) => formulas.value(g, t - x) : (x) => formulas.value(g, x - t);
      return [
        { name: "overlap: the product", mark: "line", smooth: true, fill: true, colour: "s2", ...over((x) => formulas.value(f, x) * other(x)) },
        { name: "f(τ)", mark: "line", smooth: true, colour: "s0", ...over((x) => formulas.value(f, x)) },
        { name: turned ? "g(t − τ)" : "g(τ − t)", mark: "line", smooth: true, colour: "s1", ...over(other) },
      ];
    };
    const upToNow = (values) => values.map((value, i) => (i <= now ? value : null));
    const result = (name, values) => [
      line(name, upToNow(values), { colour: "s2" }),
      { name: "at t", mark: "points", colour: "s2", x: [t], y: [values[now]], text: [`${t}: ${digits(values[now])}`] },
    ];
    const top = Math.max(0.1, ...all.convolution, ...all.correlation) * 1.08;
    const axes = (title) => ({ x: { title, range: [from, to] } });
    const y = (title, range) => ({ y: { title, range } });
    redraw("convolution-overlap", { series: overlap(true), ...axes("τ"), ...y("value", [0, 1.1]) });
    redraw("correlation-overlap", { series: overlap(false), ...axes("τ"), ...y("value", [0, 1.1]) });
    redraw("convolution-result", {
      series: [...result("f ∗ g", all.convolution), line("limits 0 to t", upToNow(all.truncated), { bound: true })],
      ...axes("t"), ...y("area of the overlap", [0, top]),
    });
    redraw("correlation-result", { series: result("correlation", all.correlation), ...axes("t"), ...y("area of the overlap", [0, top]) });
    slider.setAttribute("aria-valuetext", `t = ${digits(t, 2)}`);
    slider.parentElement.querySelector("output").textContent = digits(t, 2);
    byId("sliding-readout").replaceChildren(
      `At t = ${digits(t, 2)} the convolution is `, element("b", { textContent: digits(all.convolution[now]) }),
      ", the correlation ", element("b", { textContent: digits(all.correlation[now]) }), ".",
    );
  }

  function startSliding() {
    for (const [id, chosen] of [["shape-f", "box"], ["shape-g", "decay"]]) {
      for (const [key, shape] of Object.entries(formulas.shapes)) {
        byId(id).append(element("option", { value: key, textContent: shape.name, selected: key === chosen }));
      }
      byId(id).addEventListener("change", showSliding);
    }
    byId("slide-t").addEventListener("input", showSliding);
    byId("sliding-controls").hidden = false;
    showSliding();
  }

  // ---- counting

  const channels = [1, 2, 3, 4, 8, 16, 24, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
  const sliders = [
    { key: "in", name: "M, channels in", values: channels, value: 512 },
    { key: "out", name: "N, channels out", values: channels, value: 512 },
    { key: "kernel", name: "D_K, kernel side", values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], value: 3 },
    { key: "side", name: "D_G, output side", values: [1, 2, 4, 7, 14, 28, 56, 112, 224], value: 14 },
    { key: "stride", name: "stride", values: [1, 2, 3, 4], value: 1 },
    { key: "multiplier", name: "m, multiplier", values: [1, 2, 3, 4, 5, 6, 7, 8], value: 1 },
  ];
  const layer = Object.fromEntries(sliders.map((slider) => [slider.key, slider.value]));

  /** A block of `side` x `side` x `depth`, its edges by logarithm, so that 1 and 1024 both can be seen. */
  function block(side, depth, ink) {
    const front = 18 + 9 * Math.log2(side + 1);
    const back = 4 + 4 * Math.log2(depth + 1);
    const [x, y] = [(152 - front - back) / 2, (128 + back - front) / 2];
    const svg = `<svg viewBox="0 0 152 128" aria-hidden="true" style="color:var(--${ink})">`
      + `<path class="top" d="M${x} ${y}l${back} ${-back}h${front}l${-back} ${back}z"/>`
      + `<path class="end" d="M${x + front} ${y}l${back} ${-back}v${front}l${-back} ${back}z"/>`
      + `<path class="front" d="M${x} ${y}h${front}v${front}h${-front}z"/></svg>`;
    const made = element("div");
    made.innerHTML = svg;  // numbers of ours alone
    return made.firstChild;
  }
  const size = (side, depth) => `${side} × ${side} × ${depth}`;
  function stage(title, side, depth, ink, times = 0) {
    return element("div", { className: "stage" }, block(side, depth, ink), element("small", { textContent: title }),
      element("b", { textContent: times ? `${times} of ${size(side, depth)}` : size(side, depth) }));
  }
  const arrow = () => element("span", { className: "arrow", textContent: "→", ariaHidden: "true" });
  const withArrows = (stages) => stages.flatMap((made, i) => (i === 0 ? [made] : [arrow(), made]));

  /** "D_K² M" with its index where it belongs. */
  function sign(text) {
    const parts = text.split(/_(\w)/).map((part, i) => (i % 2 === 0 ? part : element("sub", { textContent: part })));
    return element("span", { className: "sign" }, ...parts);
  }
  const one = (what, symbols, numbers) => element("li", {}, element("span", { textContent: what }), sign(symbols),
    element("span", { className: "number", textContent: numbers }));

  function showLayer() {
    const { in: m, out: n, kernel, side, stride, multiplier } = layer;
    const [standard, depthwise, pointwise, separable] = ["standard", "depthwise", "pointwise", "separable"].map((form) => formulas[form](layer));
    const area = kernel * kernel;
    const input = formulas.inputSide(layer);

    byId("stages-standard").replaceChildren(...withArrows([
      stage("input", input, m, "s0"), stage("filters", kernel, m, "s1", n), stage("output", side, n, "s2")]));
    byId("steps-standard").replaceChildren(
      one("one filter, one place, one channel", "D_K²", `${kernel}² = ${count(area)}`),
      one("all channels in", "D_K² M", `${count(area)} · ${m} = ${count(area * m)}`),
      one("all places", "D_G² D_K² M", `${side}² · ${count(area * m)} = ${count(side * side * area * m)}`),
      one("all filters: the standard convolution", "N D_G² D_K² M", `${n} · ${count(side * side * area * m)} = ${count(standard.macs)}`),
    );
    byId("stages-separable").replaceChildren(...withArrows([
      stage("input", input, m, "s0"), stage("filtering: a channel each", kernel, 1, "s1", multiplier * m),
      stage("filtered", side, multiplier * m, "s4"), stage("combining: all channels, one place", 1, multiplier * m, "s3", n),
      stage("output", side, n, "s2")]));
    byId("steps-separable").replaceChildren(
      one("filtering: m filters a channel", "m M D_G² D_K²", `${multiplier} · ${m} · ${side}² · ${kernel}² = ${count(depthwise.macs)}`),
      one("combining: N outputs a place", "N m M D_G²", `${n} · ${multiplier} · ${m} · ${side}² = ${count(pointwise.macs)}`),
      one("both: the separable convolution", "m M D_G² (D_K² + N)", count(separable.macs)),
    );

    const { macs } = formulas.ratio(layer);
    const evens = formulas.breakEven(layer);
    const verdict = byId("verdict");
    verdict.classList.toggle("no", macs >= 1);
    verdict.replaceChildren(
      `separable / standard = ${multiplier} · (1/${n} + 1/${area}) = `, element("b", { textContent: digits(macs, 6) }),
      macs < 1 ? `: ${digits(1 / macs, 2)} times fewer MACs. ` : ": separating does not pay. ",
      `Both cost the same at m = ${digits(evens, 2)}.`,
    );
    byId("counts").tBodies[0].replaceChildren(...[["standard", standard], ["depthwise stage", depthwise], ["pointwise stage", pointwise], ["separable", separable]]
      .map(([name, cost]) => element("tr", {}, element("th", { scope: "row", textContent: name }),
        ...["macs", "additions", "parameters"].map((key) => element("td", { className: "n", textContent: count(cost[key]) })))));
    const bar = (name, at, value, ink) => ({ name, mark: "stacked", colour: ink, x: [at], y: [value], text: [count(value)] });
    redraw("both-forms", {
      series: [bar("standard", 0, standard.macs, "s0"), bar("depthwise stage", 1, depthwise.macs, "s1"), bar("pointwise stage", 1, pointwise.macs, "s3")],
    });
  }

  function startLayer() {
    const form = byId("layer-controls");
    for (const slider of sliders) {
      const input = element("input", { type: "range", min: 0, max: slider.values.length - 1, step: 1, id: `layer-${slider.key}` });
      input.value = slider.values.indexOf(slider.value);
      const output = element("output");
      const show = () => {
        layer[slider.key] = slider.values[Number(input.value)];
        output.textContent = layer[slider.key];
        input.setAttribute("aria-valuetext", String(layer[slider.key]));
      };
      show();
      input.addEventListener("input", () => {
        show();
        showLayer();
      });
      form.append(element("label", {}, Object.assign(sign(slider.name), { className: "name" }), input, output));
    }
    form.hidden = false;
    showLayer();
  }

  startSliding();
  startLayer();
})();
