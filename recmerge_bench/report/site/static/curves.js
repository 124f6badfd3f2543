"use strict";
// The figures that a suite declares: lines with their spread, a panel for each y axis.
(() => {
  const { el, svg, state } = RECMERGE;
  const WIDTH = 400;
  const HEIGHT = 290;
  const DASHES = ["", "6 3", "2 3", "9 3 2 3"];
  const COLOURS = 8;
  const BANDS = 8;
  const off = new Set();

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
    return high / least >= 1000 ? RECMERGE.symlog(high, least) : RECMERGE.linear(low, high, 5);
  }

  function yScale(series) {
    const ys = series.flatMap((s) => s.points.flatMap(([, y, spread]) => [y - (spread || 0), y + (spread || 0)]));
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const pad = (high - low) * 0.04;
    return RECMERGE.linear(low - pad, high + pad, 5);
  }

  const style = (n) => ({ colour: `s${n % COLOURS}`, dash: DASHES[Math.floor(n / COLOURS) % DASHES.length] });

  function line(c, figure, s, n, bands) {
    const { colour, dash } = style(n);
    const many = s.points.length > 12;
    const path = s.points.map(([x, y], i) => `${i ? "L" : "M"}${c.x(x).toFixed(1)} ${c.y(y).toFixed(1)}`).join("");
    const edge = (sign) => s.points.map(([x, y, sd]) => `${c.x(x).toFixed(1)} ${c.y(y + sign * (sd || 0)).toFixed(1)}`);
    const band = bands && s.points.some((p) => p[2]) && !figure.ticks.length
      ? svg("path", { class: `band ${colour}`, d: `M${[...edge(1), ...edge(-1).reverse()].join("L")}Z` }) : null;
    const points = s.points.map(([x, y, sd, seeds]) => [
      figure.ticks.length && sd ? svg("line", { class: `line ${colour}`, x1: c.x(x), x2: c.x(x),
        y1: c.y(y - sd), y2: c.y(y + sd) }) : null,
      svg("circle", { class: `dot ${colour}`, cx: c.x(x), cy: c.y(y), r: many ? 1.2 : 3 },
        svg("title", {}, `${s.name}: ${RECMERGE.plain(y)} at ${figure.ticks[x] ?? RECMERGE.plain(x)}, ${seeds} seed(s)`))]);
    return [band, figure.ticks.length ? null
      : svg("path", { class: `line ${colour}`, d: path, "stroke-dasharray": dash || null }), points];
  }

  function panel(figure, about, names) {
    const series = about.series.filter((s) => !off.has(s.name));
    if (!series.length) return el("p", {}, "All lines are switched off.");
    const c = RECMERGE.chart({ width: WIDTH, height: HEIGHT, x: xScale(figure, series), y: yScale(series),
      xName: figure.x, yName: about.name, title: `${figure.title}: ${about.name}`,
      about: `${series.length} line(s): ${series.map((s) => s.name).join("; ")}. The data stand in a table below.`,
      xTicks: figure.ticks.length ? figure.ticks : null });
    for (const s of series) {
      for (const part of line(c, figure, s, names.indexOf(s.name), series.length <= BANDS).flat(Infinity)) {
        if (part) c.root.append(part);
      }
    }
    return el("figure", {}, RECMERGE.boxed(about.name, c.root), el("figcaption", {}, about.name));
  }

  function legend(names, redraw) {
    return el("div", { class: "legend", role: "group", "aria-label": "Lines" }, names.map((name, n) => {
      const { colour, dash } = style(n);
      return el("button", { type: "button", class: "key", "aria-pressed": String(!off.has(name)),
        "data-key": `line ${name}`, onclick: () => {
          if (!off.delete(name)) off.add(name);
          redraw();
        } }, svg("svg", { width: 26, height: 10, "aria-hidden": "true" },
        svg("line", { class: `line ${colour}`, x1: 1, x2: 25, y1: 5, y2: 5, "stroke-dasharray": dash || null })), name);
    }));
  }

  RECMERGE.views.curves = {
    name: "Curves",
    draw(view, redraw) {
      const all = view.suite.figures;
      if (!all.length) return [el("p", {}, "This suite declares no figures, or has no data for them.")];
      const name = RECMERGE.among("figure", all.map((f) => f.name));
      const figure = all.find((f) => f.name === name);
      const chooser = el("label", {}, "Figure ", el("select", { "data-key": "figure", onchange: (event) => {
        state.figure = event.target.value;
        off.clear();
        redraw();
      } }, all.map((f) => el("option", { value: f.name, selected: f.name === name }, f.title))));
      const names = [...new Set(figure.panels.flatMap((p) => p.series.map((s) => s.name)))];
      const rows = figure.panels.flatMap((p) => p.series.flatMap((s) => s.points.map(([x, y, sd, n]) =>
        [s.name, p.name, figure.ticks[x] ?? RECMERGE.plain(x), RECMERGE.plain(y), RECMERGE.plain(sd), n])));
      return [el("div", { class: "controls" }, chooser), el("h2", {}, figure.title), legend(names, redraw),
        el("div", { class: "panels" }, figure.panels.map((p) => panel(figure, p, names))),
        el("p", { class: "muted note-line" }, "Means over seeds; bands and bars are ± one sample standard "
          + "deviation (no bands from nine lines on). Of the whole suite: the choice of track, metric and domain does not apply."),
        RECMERGE.dataTable(figure.title, ["line", "panel", figure.x || "name", "mean", "± sd", "seeds"], rows)];
    },
  };
})();
