"use strict";
// What makes a page of sepal move: the theme, tables that sort, plots. The page is whole without it. Strings of the
// page's data may come from a stranger's model file, so they are only ever set as text, and plain() takes them past the
// little HTML that the plotting library reads in labels.
//
// window.sepal is what learn.js builds on.
const sepal = (() => {
  const root = document.documentElement;
  const live = document.getElementById("live");
  const say = (text) => { live.textContent = text; };

  // ---- theme: the system's until the reader chooses

  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const watchers = [];
  const themeChanged = () => {
    const button = document.getElementById("theme");
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`);
    for (const watcher of watchers) watcher();
  };

  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  /** The colour of a variable of the style sheet, under the present theme. */
  function colour(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }

  // ---- tables

  /** Numbers by value, text as people order it with numbers in it, nothing always last. */
  function compareCells(a, b, direction) {
    const [one, two] = [a, b].map((cell) => ({
      number: cell.dataset.v === undefined ? NaN : Number(cell.dataset.v), text: cell.textContent,
    }));
    const [noOne, noTwo] = [one, two].map((cell) => Number.isNaN(cell.number) && cell.text === "-");
    if (noOne || noTwo) return noOne - noTwo;
    const numeric = !Number.isNaN(one.number) && !Number.isNaN(two.number);
    return direction * (numeric ? one.number - two.number
      : one.text.localeCompare(two.text, "en", { numeric: true }));
  }

  function sortBy(table, heading, column) {
    const numeric = heading.classList.contains("n");
    const before = heading.getAttribute("aria-sort");
    // What is asked first of numbers is which are the largest.
    const order = before === "none" ? (numeric ? "descending" : "ascending")
      : before === "descending" ? "ascending" : "descending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const direction = order === "ascending" ? 1 : -1;
    rows.sort((a, b) => compareCells(a.cells[column], b.cells[column], direction));
    body.append(...rows);
    say(`Sorted by ${heading.textContent}, ${order}`);
  }

  function makeSortable(table) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sortBy(table, heading, column));
    });
  }

  // ---- plots

  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\n", "<br>");
  const shortened = (text, limit) => {
    const letters = [...text];
    if (letters.length <= limit) return text;
    const before = Math.floor((limit - 1) / 3);
    return [...letters.slice(0, before), "\u2026", ...letters.slice(letters.length - (limit - 1 - before))].join("");
  };
  /**
   * Names for an axis, each of at most `limit` letters. Names of a network differ in one place and are alike in the
   * others: what is cut out (the middle, the end, the start) is what leaves most of them different.
   */
  function shortenedAlike(names, limit) {
    const cut = (from, to) => (name) => {
      const letters = [...name];
      return letters.length <= limit ? name : [...letters.slice(0, from), "\u2026", ...letters.slice(letters.length - to)].join("");
    };
    const ways = [(name) => shortened(name, limit), cut(limit - 1, 0), cut(0, limit - 1)];
    const all = [...new Set(names)];
    const kept = ways.map((way) => new Set(all.map(way)).size);
    return names.map(ways[kept.indexOf(Math.max(...kept))]);
  }
  const isBars = (series) => series.mark === "bars" || series.mark === "stacked";
  const leastPlot = 220;  // pixels between the axes
  const symbols = ["circle", "square", "diamond", "triangle-up"];

  function tracesOf(figure, narrow) {
    let place = 0;
    return figure.series.map((series) => {
      const ink = series.colour ? colour(series.colour) : series.bound ? colour("soft") : colour(`s${place % 8}`);
      const trace = {
        name: plain(shortened(series.name, narrow ? 28 : 48)), x: series.x, y: series.y,
        hovertext: (series.text || []).map((text) => `<b>${plain(shortened(series.name, 60))}</b><br>${plain(text)}`),
        hoverinfo: "text", hoverlabel: { bordercolor: ink },
      };
      if (isBars(series)) {
        Object.assign(trace, { type: "bar", marker: { color: ink } });
      } else {
        const marked = series.mark === "points"
          || (series.mark === "line" && !series.bound && !series.smooth && series.x.length <= 32);
        Object.assign(trace, {
          type: "scatter", mode: series.mark === "points" ? "markers" : marked ? "lines+markers" : "lines",
          line: { color: ink, width: series.bound ? 1.5 : 2, dash: series.bound ? "dash" : "solid" },
          marker: { color: ink, size: 8, symbol: symbols[place % 4], opacity: 0.85 }, cliponaxis: false,
        });
        if (series.mark === "steps") trace.line.shape = figure.x.categories ? "hvh" : "hv";
        if (series.fill) Object.assign(trace, { fill: "tozeroy", fillcolor: ink.replace("rgb(", "rgba(").replace(")", ", 0.18)") });
      }
      if (!series.bound) place += 1;
      return trace;
    });
  }

  function axisOf(axis, narrow) {
    const made = {
      title: { text: plain(axis.title), standoff: 10, font: { color: colour("ink") } },
      type: axis.log ? "log" : "linear", automargin: true, gridcolor: colour("grid"), zerolinecolor: colour("grid"),
      linecolor: colour("grid"), exponentformat: axis.count ? "SI" : "none",
    };
    // Every label in full, and no more of them than 1, 2, 5.
    if (axis.log) Object.assign(made, { dtick: axis.decades > (narrow ? 1.5 : 3) ? 1 : "D2", tickformat: axis.count ? "~s" : ".4~g" });
    if (axis.octaves) Object.assign(made, { dtick: Math.log10(narrow ? 4 : 2), tickformat: ",d" });
    if (axis.range) made.range = axis.range;
    return made;
  }

  /** Names under as many of the categories from `low` to `high` as there is room for. */
  function categoryTicks(names, low, high, width) {
    const first = Math.max(0, Math.ceil(low));
    const last = Math.min(names.length - 1, Math.floor(high));
    const slot = width / Math.max(1, high - low);
    const longest = Math.min(20, Math.max(1, ...names.slice(first, last + 1).map((name) => [...name].length)));
    const leaning = longest * 7 + 8 > slot;
    const every = leaning ? Math.max(1, Math.ceil(20 / slot)) : 1;
    const shown = [];
    for (let i = first; i <= last; i += every) shown.push(i);
    const labels = shortenedAlike(names, leaning ? 20 : 40);
    return {
      "xaxis.tickvals": shown, "xaxis.ticktext": shown.map((i) => plain(labels[i])),
      "xaxis.tickangle": leaning ? -40 : 0,
    };
  }

  function layoutOf(figure, width) {
    const narrow = width < 560;
    const bars = figure.series.some(isBars);
    const layout = {
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12.5, color: colour("soft") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 20, r: 14, t: 14, b: 20 },
      showlegend: figure.series.length > 1,
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", traceorder: "normal", font: { color: colour("ink") } },
      barmode: figure.series.some((series) => series.mark === "stacked") ? "stack" : "group", bargap: 0.2,
      hovermode: bars ? "x" : "closest", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      hoverlabel: { bgcolor: colour("paper"), font: { color: colour("ink") }, align: "left", namelength: -1 },
      xaxis: axisOf(figure.x, narrow), yaxis: axisOf(figure.y, narrow), modebar: { color: colour("soft"), bgcolor: "rgba(0,0,0,0)" },
    };
    if (!figure.y.log && (bars || figure.fromZero)) layout.yaxis.rangemode = "tozero";
    const names = figure.x.categories;
    if (names) {
      const ticks = categoryTicks(names, -0.5, names.length - 0.5, width - 70);
      Object.assign(layout.xaxis, {
        showgrid: false, zeroline: false, range: [-0.5, names.length - 0.5], tickmode: "array",
        tickvals: ticks["xaxis.tickvals"], ticktext: ticks["xaxis.ticktext"], tickangle: ticks["xaxis.tickangle"],
      });
    }
    return layout;
  }

  // The buttons by name, because those that come by themselves include one that uploads the plot.
  const config = {
    responsive: true, displaylogo: false, scrollZoom: false, doubleClick: "reset", plotlyServerURL: "",
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"], ["toImage"]],
  };

  /**
   * A legend takes its place from the plot, at most half of the whole, and is scrolled where that is not enough. Where
   * it is long, the whole grows instead, so that the plot keeps its height.
   */
  function growForLegend(target) {
    const { height, legend, _size: inner } = target._fullLayout;
    const wanted = legend ? Math.ceil(legend._height) : 0;
    const shown = Math.min(wanted, height / 2);
    const rest = height - inner.h - shown;
    const needed = Math.max(rest + wanted + leastPlot, 2 * wanted);
    if (needed <= height || inner.h >= leastPlot) return;
    target.style.height = `${needed}px`;
    Plotly.relayout(target, { height: needed });
  }

  /** Draws `figure` into `place`, or draws it again with new data. */
  function draw(place, figure) {
    if (typeof Plotly === "undefined") return;
    let target = place.querySelector(".live");
    if (!target) {
      target = document.createElement("div");
      target.className = "live";
      place.classList.add("drawn");
      place.append(target);
    }
    target.style.height = "";
    const width = target.clientWidth;
    const layout = layoutOf(figure, width);
    if (target.clientHeight > 0) layout.height = target.clientHeight;  // else a plot that grew stays as it is
    Plotly.react(target, tracesOf(figure, width < 560), layout, { ...config, toImageButtonOptions: { format: "svg", filename: figure.id } });
    growForLegend(target);
    target.figure = figure;
    if (target.watched) return;
    target.watched = true;
    watchers.push(() => draw(place, target.figure));
    walkable(place, target);
    // Zoomed in, there is room for more names.
    target.on("plotly_relayout", (change) => {
      const names = target.figure.x.categories;
      if (!names || !Object.keys(change).some((key) => key.startsWith("xaxis.range") || key === "xaxis.autorange")) return;
      const [low, high] = target._fullLayout.xaxis.range;
      Plotly.relayout(target, categoryTicks(names, low, high, target.clientWidth - 70));
    });
    // Another width has room for other names; hidden for print, it has none and keeps them.
    let drawnWidth = width;
    let waiting;
    new ResizeObserver(() => {
      if (target.clientWidth === 0 || target.clientWidth === drawnWidth) return;
      drawnWidth = target.clientWidth;
      clearTimeout(waiting);
      waiting = setTimeout(() => draw(place, target.figure), 100);
    }).observe(target);
  }

  /** Arrow keys go from point to point and say each aloud. */
  function walkable(place, target) {
    target.tabIndex = 0;
    target.setAttribute("role", "application");
    target.setAttribute("aria-roledescription", "plot");
    target.setAttribute("aria-label", target.figure.title);
    const words = document.getElementById(`${target.figure.id}-words`);
    if (words) target.setAttribute("aria-describedby", words.id);
    const keys = document.createElement("p");
    keys.className = "keys";
    keys.textContent = "Left and right: points. Up and down: series. Home, End, Escape.";
    place.append(keys);

    const here = { series: 0, point: -1 };
    const exists = (series, point) => {
      const value = (axis) => target.figure.series[series][axis][point];
      return Number.isFinite(value("x")) && Number.isFinite(value("y"))
        && !(target.figure.x.log && value("x") <= 0) && !(target.figure.y.log && value("y") <= 0);
    };
    const along = (step, from) => {
      const count = target.figure.series[here.series].x.length;
      for (let at = from; at >= 0 && at < count; at += step) {
        if (exists(here.series, at)) return at;
      }
      return here.point;
    };
    const across = (step) => {
      const all = target.figure.series;
      const x = here.point < 0 ? undefined : all[here.series].x[here.point];
      for (let at = here.series + step; at >= 0 && at < all.length; at += step) {
        const points = [...all[at].x.keys()].filter((point) => exists(at, point));
        if (points.length === 0) continue;
        here.series = at;
        here.point = x === undefined ? points[0]
          : points.reduce((best, point) => (Math.abs(all[at].x[point] - x) < Math.abs(all[at].x[best] - x) ? point : best));
        return;
      }
    };
    const show = () => {
      const series = target.figure.series[here.series];
      if (!series || here.point < 0 || here.point >= series.x.length) return;
      Plotly.Fx.hover(target, [{ curveNumber: here.series, pointNumber: here.point }]);
      say(`${series.name}: ${series.text ? series.text[here.point] : series.y[here.point]}`);
    };
    target.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target !== target) return;
      here.series = Math.min(here.series, target.figure.series.length - 1);
      const moves = {
        ArrowRight: () => { here.point = along(1, here.point + 1); },
        ArrowLeft: () => { here.point = along(-1, here.point < 0 ? 0 : here.point - 1); },
        ArrowDown: () => across(1),
        ArrowUp: () => across(-1),
        Home: () => { here.point = along(1, 0); },
        End: () => { here.point = along(-1, target.figure.series[here.series].x.length - 1); },
      };
      if (event.key === "Escape") {
        Plotly.Fx.unhover(target);
        say("");
      } else if (moves[event.key]) {
        moves[event.key]();
        show();
        event.preventDefault();
      }
    });
    target.addEventListener("blur", () => Plotly.Fx.unhover(target));
  }

  // ---- the start

  const figures = new Map(JSON.parse(document.getElementById("figures").textContent).map((figure) => [figure.id, figure]));

  function start() {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      themeChanged();
    });
    systemDark.addEventListener("change", themeChanged);
    matchMedia("print").addEventListener("change", themeChanged);
    themeChanged();
    for (const table of document.querySelectorAll(".table table:not(.plain)")) makeSortable(table);
    // One at a time, so that a page of many plots can be scrolled while they are drawn.
    const places = [...document.querySelectorAll(".plot[data-figure]")].filter((place) => figures.has(place.dataset.figure));
    const next = () => {
      const place = places.shift();
      if (!place) {
        root.dataset.ready = "yes";
        return;
      }
      draw(place, figures.get(place.dataset.figure));
      setTimeout(next);
    };
    next();
  }
  start();
  return { draw, say, figures, colour, watch: (watcher) => watchers.push(watcher), shortened, shortenedAlike };
})();
