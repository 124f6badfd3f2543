"use strict";
// Axes of a chart, and the table that says the same.
(() => {
  const { el, svg } = RECMERGE;
  /** Charts of more rows have their axis above them too. */
  const MANY = 20;
  let count = 0;

  function frame({ width, height, title, about }, parts) {
    count += 1;
    const [t, d] = [`chart-t${count}`, `chart-d${count}`];
    return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-labelledby": `${t} ${d}`, width, height },
    svg("title", { id: t }, title), svg("desc", { id: d }, about), parts);
  }

  /** Shapes tell series apart without colours: circle, square, diamond, triangle. */
  const SHAPES = [
    (x, y, r) => svg("circle", { cx: x, cy: y, r }),
    (x, y, r) => svg("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r }),
    (x, y, r) => svg("path", { d: `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}Z` }),
    (x, y, r) => svg("path", { d: `M${x} ${y - 1.2 * r}L${x + 1.2 * r} ${y + r}L${x - 1.2 * r} ${y + r}Z` }),
  ];

  /** The mark of series `kind` at (x, y). */
  function shape(kind, x, y, r, front = false, title = "") {
    const made = SHAPES[kind % SHAPES.length](x, y, r);
    made.setAttribute("class", `dot s${kind % 8}${front ? " front" : ""}`);
    if (title) made.append(svg("title", {}, title));
    return made;
  }

  /** Numbers of ticks that have a text: evenly spaced, 0 among them if it is a tick, and no two texts touch. */
  function sparse(texts, at, zero) {
    const half = texts.map((text) => RECMERGE.textWidth(text, 11) / 2);
    for (let by = 1; by < texts.length; by += 1) {
      const first = zero < 0 ? 0 : zero % by;
      const kept = texts.map((_, n) => n).filter((n) => n % by === first);
      if (kept.every((n, i) => !i || at[n] - half[n] > at[kept[i - 1]] + half[kept[i - 1]] + 4)) return new Set(kept);
    }
    return new Set([Math.max(0, zero)]);
  }

  function below(scale, px, texts, top, bottom, named = false, again = false) {
    const shown = sparse(texts, scale.ticks.map(px), named ? -1 : scale.ticks.indexOf(0));
    return scale.ticks.map((v, n) => [
      svg("line", { class: v === 0 && !named ? "grid zero" : "grid", x1: px(v), x2: px(v), y1: top, y2: bottom }),
      shown.has(n) ? svg("text", { x: px(v), y: bottom + 16, "text-anchor": "middle" }, texts[n]) : null,
      shown.has(n) && again ? svg("text", { x: px(v), y: top - 5, "text-anchor": "middle" }, texts[n]) : null]);
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

  /**
   * {root, x(v), row(n), box}: names as rows, the axis below them, and above them too where rows are many.
   * Where a name would take too much of the width, names stand above their rows.
   */
  function rowChart({ width, x, names, xName, title, about, line = 24 }) {
    const longest = Math.max(...names.map((name) => RECMERGE.textWidth(name, 11.5)));
    const over = longest > width * 0.42;
    const texts = over ? names.map((name) => RECMERGE.fitted(name, width - 24, 11.5)) : names;
    const [left, step, many] = [over ? 16 : 12 + longest, over ? line + 15 : line, names.length > MANY];
    const top = many ? 26 : 8;
    const height = top + 4 + step * names.length + 46;
    const box = { left, right: width - 24, top, bottom: height - 44 };
    const px = (v) => box.left + x.at(v) * (box.right - box.left);
    const row = (n) => box.top + 4 + step * (n + 1) - line / 2;
    const root = frame({ width, height, title, about }, [
      below(x, px, x.ticks.map(RECMERGE.plain), box.top, box.bottom, false, many),
      texts.map((text, n) => svg("text", { class: "row-name", x: over ? 4 : box.left - 8,
        y: over ? row(n) - line / 2 - 1 : row(n) + 4, "text-anchor": over ? "start" : "end" },
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

  Object.assign(RECMERGE, { chart, rowChart, shape, sparse, dataTable, boxed, room });
})();
