"use strict";
// The figures that a suite declares: lines with their names beside them, or names as rows.
(() => {
  const { el, svg, state } = RECMERGE;
  const HEIGHT = 310;
  const DASHES = ["", "6 3", "2 3", "9 3 2 3"];
  const COLOURS = 8;
  const BANDS = 4;
  /** Charts narrower than this have numbers at their lines, and the names below. */
  const NARROW = 520;
  const NUMBERED = 30;

  function xScale(figure, series) {
    if (figure.ticks.length) {
      const last = figure.ticks.length - 1;
      return { low: 0, high: last, ticks: figure.ticks.map((_, n) => n),
        at: (v) => (v + 0.5) / (last + 1) };
    }
    const xs = series.flatMap((s) => s.points.map((p) => p[0]));
    const above = xs.filter((x) => x > 0);
    const [low, high] = [Math.min(...xs), Math.max(...xs)];
    const least = Math.min(...above);
    if (high / least >= 1000) return RECMERGE.symlog(high, least);
    const scale = RECMERGE.linear(low, high, 5);
    const whole = [...new Set(xs)].sort((a, b) => a - b);
    return figure.whole && whole.length < 9 ? { ...scale, ticks: whole } : scale;
  }

  const spreadEnds = (points) => points.flatMap(([, y, spread]) => [y - (spread || 0), y + (spread || 0)]);

  function valueScale(series, zero, bands, count) {
    const ys = series.flatMap((s) => (bands ? spreadEnds(s.points) : s.points.map((p) => p[1])));
    let [low, high] = [Math.min(...ys), Math.max(...ys)];
    if (zero) [low, high] = [Math.min(0, low), Math.max(0, high)];
    const pad = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
    return RECMERGE.linear(zero && low === 0 ? 0 : low - pad, high + pad, count);
  }

  const style = (n) => ({ colour: `s${n % COLOURS}`, dash: DASHES[n % DASHES.length] });

  function line(c, figure, s, n, bands) {
    const { colour, dash } = style(n);
    const many = s.points.length > 12;
    const path = s.points.map(([x, y], i) => `${i ? "L" : "M"}${c.x(x).toFixed(1)} ${c.y(y).toFixed(1)}`).join("");
    const edge = (sign) => s.points.map(([x, y, sd]) => `${c.x(x).toFixed(1)} ${c.y(y + sign * (sd || 0)).toFixed(1)}`);
    const band = bands && s.points.some((p) => p[2])
      ? svg("path", { class: `band ${colour}`, d: `M${[...edge(1), ...edge(-1).reverse()].join("L")}Z` }) : null;
    const points = s.points.map(([x, y, , seeds]) => svg("circle", { class: `dot ${colour}`, cx: c.x(x), cy: c.y(y), r: many ? 1.2 : 3 },
      svg("title", {}, `${s.name}: ${RECMERGE.plain(y)} at ${figure.ticks[x] ?? RECMERGE.plain(x)}, ${seeds} seed(s)`)));
    return [band, svg("path", { class: `line ${colour}`, d: path, "stroke-dasharray": dash || null }), points];
  }

  /** Names at the right ends of the lines, moved apart, in the lines' colours. */
  function names(c, series, order, width) {
    const ends = series.map((s) => c.y(s.points.at(-1)[1]) + 4);
    const places = RECMERGE.apart(ends, 14, c.box.top + 8, c.box.bottom);
    return series.map((s, n) => svg("text", { class: `label ink-${style(order.indexOf(s.name)).colour}`,
      x: c.box.right + 8, y: places[n], "text-anchor": "start" },
    width < NUMBERED ? order.indexOf(s.name) + 1 : RECMERGE.fitted(s.short, width - 12, 11.5)));
  }

  function lines(figure, about, order, width) {
    const series = about.series.filter((s) => order.includes(s.name));
    if (!series.length) return null;
    const bands = series.length <= BANDS;
    const longest = Math.max(...series.map((s) => RECMERGE.textWidth(s.short, 11.5))) + 16;
    const right = width < NARROW ? NUMBERED - 1 : Math.min(longest, width * 0.42);
    const c = RECMERGE.chart({ width, height: HEIGHT, right, x: xScale(figure, series),
      y: valueScale(series, false, bands, 5), xName: figure.x, yName: figure.y || about.name, title: `${figure.title}: ${about.name}`,
      about: `${series.length} line(s): ${series.map((s) => s.name).join("; ")}. The data stand in a table below.`,
      xTicks: figure.ticks.length ? figure.ticks : null });
    const parts = [series.map((s) => line(c, figure, s, order.indexOf(s.name), bands)), names(c, series, order, right)];
    c.root.append(...parts.flat(Infinity).filter(Boolean));
    return c.root;
  }

  /** Names as rows: a mark with its interval, or a bar from zero; several series beside one another. */
  function rows(figure, about, order, width) {
    const series = about.series.filter((s) => order.includes(s.name));
    if (!series.length) return null;
    const bar = figure.mark === "bar";
    const step = bar ? 11 : 9;
    const c = RECMERGE.rowChart({ width, names: figure.rows, line: 12 + step * series.length,
      x: valueScale(series, bar || series.some((s) => s.points.some((p) => p[1] < 0)), true, 5),
      xName: figure.y || about.name, title: `${figure.title}: ${about.name}`,
      about: `${figure.ticks.length} row(s). The data stand in a table below.` });
    const parts = series.flatMap((s) => s.points.map(([x, y, spread, seeds]) => {
      const n = order.indexOf(s.name);
      const at = c.row(Math.round(x)) + step * (series.indexOf(s) - (series.length - 1) / 2);
      const text = `${figure.ticks[Math.round(x)]}, ${s.name}: ${RECMERGE.plain(y)}, ${seeds} seed(s)`;
      return [
        bar ? svg("rect", { class: `dot s${n % COLOURS}${n % 2 ? " hollow" : ""}`, x: Math.min(c.x(0), c.x(y)), width: Math.abs(c.x(y) - c.x(0)), y: at - step / 2 + 1, height: step - 2 }, svg("title", {}, text)) : null,
        spread ? svg("line", { class: bar ? "whisker" : `line s${n % COLOURS}`, x1: c.x(y - spread), x2: c.x(y + spread), y1: at, y2: at }) : null,
        bar ? null : RECMERGE.shape(n, c.x(y), at, 3.5, false, text),
      ];
    }));
    c.root.append(...parts.flat().filter(Boolean));
    return c.root;
  }

  /** The lines that are on: those asked for, else those that the figure begins with. */
  function chosen(figure, all) {
    const asked = state.lines.split(",").filter(Boolean).map((n) => all[Number(n)]).filter(Boolean);
    return asked.length ? all.filter((name) => asked.includes(name)) : figure.shown;
  }

  /** What a series looks like in the drawing. */
  function sample(mark, n, colour, dash) {
    if (mark === "bar") return svg("rect", { class: `dot ${colour}${n % 2 ? " hollow" : ""}`, x: 3, width: 20, y: 1, height: 8 });
    return [svg("line", { class: `line ${colour}`, x1: 1, x2: 25, y1: 5, y2: 5, "stroke-dasharray": mark === "line" ? dash || null : null }),
      mark === "dot" ? RECMERGE.shape(n, 13, 5, 3.5) : null];
  }

  function legend(figure, all, order, short, redraw) {
    const set = (names) => { state.lines = names.map((name) => all.indexOf(name)).sort((a, b) => a - b).join(","); redraw(); };
    const keys = all.map((name) => {
      const on = order.includes(name);
      const { colour, dash } = style(order.indexOf(name));
      return el("button", { type: "button", class: "key", "aria-pressed": String(on), "data-key": `line ${name}`, title: name,
        onclick: () => { const next = on ? order.filter((o) => o !== name) : [...order, name]; if (next.length) set(next); } },
      on ? svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, sample(figure.mark, order.indexOf(name), colour, dash)) : null,
      short.get(name));
    });
    const box = el("div", { class: "legend", role: "group", "aria-label": "Lines" }, keys);
    return all.length <= 8 ? box : el("details", {}, el("summary", {}, `${order.length} of ${all.length} lines drawn: choose others`), box);
  }

  RECMERGE.views.curves = {
    name: "Figures",
    draw(view, redraw) {
      const all = view.suite.figures;
      if (!all.length) return [el("p", {}, "This suite declares no figures, or has no data for them.")];
      const name = RECMERGE.among("figure", all.map((f) => f.name));
      const figure = all.find((f) => f.name === name);
      const chooser = el("label", {}, "Figure ", el("select", { "data-key": "figure", onchange: (event) => {
        Object.assign(state, { figure: event.target.value, lines: "" });
        redraw();
      } }, all.map((f) => el("option", { value: f.name, selected: f.name === name }, f.title))));
      const series = figure.panels.flatMap((p) => p.series);
      const names_ = [...new Set(series.map((s) => s.name))];
      const short = new Map(series.map((s) => [s.name, s.short]));
      const order = chosen(figure, names_);
      const wide = RECMERGE.room();
      const width = Math.min(760, figure.panels.length > 1 && wide > 900 ? (wide - 32) / 2 : wide);
      const draw = figure.mark === "line" ? lines : rows;
      const data = figure.panels.flatMap((p) => p.series.flatMap((s) => s.points.map(([x, y, sd, n]) =>
        [s.name, p.name, figure.ticks[Math.round(x)] ?? RECMERGE.plain(x), RECMERGE.plain(y), RECMERGE.plain(sd), n])));
      return [el("div", { class: "controls" }, chooser), el("h2", {}, figure.title),
        legend(figure, names_, order, short, redraw),
        el("div", { class: "panels" }, figure.panels.map((p) => {
          const root = draw(figure, p, order, width);
          return root && el("figure", {}, RECMERGE.boxed(p.name, root), el("figcaption", {}, p.name));
        })),
        width < NARROW && figure.mark === "line" ? el("p", { class: "note-line" },
          order.map((o, n) => el("span", { class: "numbered" }, el("strong", {}, `${n + 1} `), short.get(o)))) : null,
        el("p", { class: "muted note-line" }, `Means over seeds; bands and bars: ${figure.spread}`
          + (figure.mark === "line" && order.length > BANDS ? " (left out of the drawing from five lines on)" : "")
          + ". The figure is of the whole suite: the choice of track, metric and domain does not change it."),
        RECMERGE.dataTable(figure.title, ["line", "panel", figure.x || "name", "mean", "±", "seeds"], data)];
    },
  };
})();
