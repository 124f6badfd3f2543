"use strict";
// Axes of a chart, and the table that says the same.
(() => {
  const { el, svg } = RECMERGE;
  let count = 0;

  function frame({ width, height, title, about }, parts) {
    count += 1;
    const [t, d] = [`chart-t${count}`, `chart-d${count}`];
    return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-labelledby": `${t} ${d}`, width, height },
    svg("title", { id: t }, title), svg("desc", { id: d }, about), parts);
  }

  /** Numbers of ticks that are shown so that no two texts touch. */
  function sparse(texts, at) {
    const kept = [];
    let edge = -Infinity;
    texts.forEach((text, n) => {
      const half = RECMERGE.textWidth(text, 11) / 2;
      if (at[n] - half > edge + 4) {
        kept.push(n);
        edge = at[n] + half;
      }
    });
    return new Set(kept);
  }

  function below(scale, px, texts, top, bottom, named = false) {
    const shown = sparse(texts, scale.ticks.map(px));
    return scale.ticks.map((v, n) => [
      svg("line", { class: v === 0 && !named ? "grid zero" : "grid", x1: px(v), x2: px(v), y1: top, y2: bottom }),
      shown.has(n) ? svg("text", { x: px(v), y: bottom + 16, "text-anchor": "middle" }, texts[n]) : null]);
  }

  /** {root, x(v), y(v), box}: an SVG with axes, ready for what is drawn on them. */
  function chart({ width, height, x, y, xName, yName, title, about, xTicks, right = 22 }) {
    const ticks = y.ticks.map(RECMERGE.plain);
    const left = 30 + Math.max(...ticks.map((t) => RECMERGE.textWidth(t, 11)));
    const box = { left, right: width - right, top: 12, bottom: height - 44 };
    const px = (v) => box.left + x.at(v) * (box.right - box.left);
    const py = (v) => box.bottom - y.at(v) * (box.bottom - box.top);
    const root = frame({ width, height, title, about }, [
      y.ticks.map((v, n) => [
        svg("line", { class: "grid", x1: box.left, x2: box.right, y1: py(v), y2: py(v) }),
        svg("text", { x: box.left - 7, y: py(v) + 4, "text-anchor": "end" }, ticks[n])]),
      below(x, px, x.ticks.map((v, n) => (xTicks ? xTicks[n] : RECMERGE.plain(v))), box.top, box.bottom, true),
      svg("text", { class: "name", x: (box.left + box.right) / 2, y: height - 8, "text-anchor": "middle" },
        RECMERGE.fitted(xName, width - 20, 12)),
      svg("text", { class: "name", x: 0, y: 0, "text-anchor": "middle",
        transform: `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)` },
      RECMERGE.fitted(yName, box.bottom - box.top, 12))]);
    return { root, x: px, y: py, box };
  }

  /** {root, x(v), row(n), box}: names as rows, one axis below them. */
  function rowChart({ width, x, names, xName, title, about, line = 24 }) {
    const most = width * 0.42;
    const texts = names.map((name) => RECMERGE.fitted(name, most, 11.5));
    const left = 12 + Math.max(...texts.map((t) => RECMERGE.textWidth(t, 11.5)));
    const height = 12 + line * names.length + 46;
    const box = { left, right: width - 24, top: 8, bottom: height - 44 };
    const px = (v) => box.left + x.at(v) * (box.right - box.left);
    const row = (n) => box.top + 4 + line * (n + 0.5);
    const root = frame({ width, height, title, about }, [
      below(x, px, x.ticks.map(RECMERGE.plain), box.top, box.bottom),
      texts.map((text, n) => svg("text", { class: "row-name", x: box.left - 8, y: row(n) + 4, "text-anchor": "end" },
        text, text === names[n] ? null : svg("title", {}, names[n]))),
      svg("text", { class: "name", x: width / 2, y: height - 8, "text-anchor": "middle" }, RECMERGE.fitted(xName, width - 20, 12))]);
    return { root, x: px, row, box };
  }

  /** The chart's data, folded. */
  function dataTable(caption, titles, rows) {
    return el("details", {}, el("summary", {}, "Data of this plot"),
      RECMERGE.table(caption,
        el("tr", {}, titles.map((t, i) => el("th", { scope: "col", class: i ? "num" : null }, t))),
        rows.map((cells) => el("tr", {}, cells.map((c, i) =>
          (i ? el("td", { class: "num" }, c) : el("th", { scope: "row" }, c))))), "data"));
  }

  const boxed = (name, child) => el("div", { class: "scroll plot", tabindex: 0, role: "region",
    "aria-label": name }, child);

  /** Pixels that a chart may be wide here. */
  const room = () => Math.max(300, (document.getElementById("panel").clientWidth || 600) - 18);

  Object.assign(RECMERGE, { chart, rowChart, dataTable, boxed, room });
})();
