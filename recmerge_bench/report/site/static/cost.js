"use strict";
// Quality against cost, and what no other row beats in both.
(() => {
  const { el, svg, state } = RECMERGE;
  const HEIGHT = 480;
  const LEAST = 0.01;
  const AXES = {
    learning: ["training and merge, seconds", (c) => c.train + c.merge],
    merge: ["merge, seconds", (c) => c.merge],
    all: ["all cells, seconds", (c) => c.train + c.merge + c.other],
    peak: ["peak memory, MiB", (c) => c.peak],
  };

  /** Of rows on one backbone, those that no cheaper one equals. */
  function front(points) {
    const sorted = [...points].sort((a, b) => a.x - b.x || b.y - a.y);
    let best = -Infinity;
    return sorted.filter((p) => p.y > best && ((best = p.y), true));
  }

  function steps(c, best, kind) {
    const d = best.map((p, i) => (i ? `H${c.x(p.x).toFixed(1)}V${c.y(p.y).toFixed(1)}`
      : `M${c.x(p.x).toFixed(1)} ${c.y(p.y).toFixed(1)}`)).join("");
    return svg("path", { class: `pareto line s${kind % 8}`, d });
  }

  /** Labels from the top down, each at least a line below the one above it. */
  function labels(c, points) {
    let below = -Infinity;
    return [...points].sort((a, b) => b.y - a.y).map((p) => {
      const right = c.x(p.x) > c.box.right - 190;
      const y = Math.max(c.y(p.y) + 4, below + 13);
      below = y;
      return svg("text", { class: "label", x: c.x(p.x) + (right ? -8 : 8), y,
        "text-anchor": right ? "end" : "start" }, p.row.label);
    });
  }

  function mark(c, p, kind, name) {
    return svg("circle", { class: `dot s${kind % 8}${p.front ? " front" : ""}`, cx: c.x(p.x), cy: c.y(p.y),
      r: p.front ? 5.5 : 4 }, svg("title", {}, `${RECMERGE.nameOf(p.row)}: ${RECMERGE.fixed(p.y)}, ${name} ${RECMERGE.plain(p.x)}`));
  }

  RECMERGE.views.cost = {
    name: "Cost",
    draw(view, redraw) {
      const axis = RECMERGE.among("cost", Object.keys(AXES));
      const [name, of] = AXES[axis];
      const chooser = el("div", { class: "controls" }, el("label", {}, "Cost ", el("select", {
        "data-key": "cost", onchange: (event) => { state.cost = event.target.value; redraw(); } },
      Object.entries(AXES).map(([key, [text]]) => el("option", { value: key, selected: key === axis }, text)))));
      const points = view.rows.map((row) => ({ row, value: RECMERGE.valueOf(row, view.metric, view.domain) }))
        .filter((p) => p.value && p.row.cost)
        .map((p) => ({ row: p.row, y: p.value[0], x: Math.max(LEAST, of(p.row.cost)) }));
      if (!points.length) return [chooser, el("p", {}, "No costs are recorded for these rows.")];
      const backbones = [...new Set(view.table.rows.map((row) => row.backbone))];
      const fronts = backbones.map((b) => front(points.filter((p) => p.row.backbone === b)));
      const best = fronts.flat();
      for (const p of best) p.front = true;
      const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
      const pad = (Math.max(...ys) - Math.min(...ys)) * 0.06;
      const where = view.domain || "mean over the domains";
      const room = document.getElementById("panel").clientWidth - 16;
      const c = RECMERGE.chart({ width: Math.min(1200, Math.max(560, room)), height: HEIGHT, x: RECMERGE.log(Math.min(...xs) / 1.3, Math.max(...xs) * 1.3),
        y: RECMERGE.linear(Math.min(...ys) - pad, Math.max(...ys) + pad, 6), xName: name,
        yName: `${view.metric}, ${where}`, title: `${view.metric} against cost: ${name}`,
        about: `${points.length} rows; beaten by no cheaper one of the same backbone: ${best.map((p) => p.row.label).join("; ")}. The data stand in a table below.` });
      c.root.append(...fronts.map((f, n) => steps(c, f, n)),
        ...labels(c, best), ...points.map((p) => mark(c, p, backbones.indexOf(p.row.backbone), name)));
      const key = el("p", { class: "legend" }, backbones.map((b, n) => el("span", { class: "key" },
        svg("svg", { width: 12, height: 12, "aria-hidden": "true" },
          svg("circle", { class: `dot s${n % 8}`, cx: 6, cy: 6, r: 4.5 })), b === "–" ? "no backbone" : b)));
      return [chooser, key, RECMERGE.boxed("Quality against cost", c.root),
        el("p", { class: "muted note-line" }, "Named: rows that no cheaper row of the same backbone equals (the step lines). Seconds of one "
          + "worker, means over seeds; trainings that rows share count for each; below 0.01 s drawn at 0.01."),
        RECMERGE.dataTable(`${view.metric} and cost`, ["method", "backbone", view.metric, "training s", "merge s", "other s", "peak MiB"],
          points.sort((a, b) => b.y - a.y).map((p) => [p.row.label, p.row.backbone, RECMERGE.fixed(p.y),
            ...["train", "merge", "other", "peak"].map((k) => RECMERGE.plain(p.row.cost[k]))]))];
    },
  };
})();
