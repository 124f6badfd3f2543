"use strict";
// Axes of a chart, and the table that says the same.
(() => {
  const { el, svg } = RECMERGE;
  const PAD = { left: 58, right: 14, top: 10, bottom: 44 };
  let count = 0;

  /** {root, x(v), y(v), box}: an SVG with axes, ready for what is drawn on them. */
  function chart({ width, height, x, y, xName, yName, title, about, xTicks }) {
    const box = { left: PAD.left, right: width - PAD.right, top: PAD.top, bottom: height - PAD.bottom };
    const px = (v) => box.left + x.at(v) * (box.right - box.left);
    const py = (v) => box.bottom - y.at(v) * (box.bottom - box.top);
    count += 1;
    const [t, d] = [`chart-t${count}`, `chart-d${count}`];
    const root = svg("svg", { class: width > 500 ? "chart big" : "chart", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-labelledby": `${t} ${d}`, width, height },
    svg("title", { id: t }, title), svg("desc", { id: d }, about),
    y.ticks.map((v) => [
      svg("line", { class: "grid", x1: box.left, x2: box.right, y1: py(v), y2: py(v) }),
      svg("text", { x: box.left - 7, y: py(v) + 4, "text-anchor": "end" }, RECMERGE.plain(v))]),
    x.ticks.map((v, n) => [
      svg("line", { class: "grid", x1: px(v), x2: px(v), y1: box.top, y2: box.bottom }),
      svg("text", { x: px(v), y: box.bottom + 16, "text-anchor": "middle" },
        xTicks ? xTicks[n] : RECMERGE.plain(v))]),
    svg("text", { class: "name", x: (box.left + box.right) / 2, y: height - 8, "text-anchor": "middle" }, xName),
    svg("text", { class: "name", x: 0, y: 0, "text-anchor": "middle",
      transform: `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)` }, yName));
    return { root, x: px, y: py, box };
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

  Object.assign(RECMERGE, { chart, dataTable, boxed });
})();
