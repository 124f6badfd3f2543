"use strict";
// Quality against cost, and what no other row beats in both by more than noise.
(() => {
  const { el, svg, state } = RECMERGE;
  const HEIGHT = 480;
  const SAME = 0.05;
  const NOISE = 2;
  const AXES = {
    learning: ["training and merge, seconds", (c) => c.train + c.merge],
    merge: ["merge, seconds", (c) => c.merge],
    all: ["all cells, seconds", (c) => c.train + c.merge + c.other],
    peak: ["peak memory, MiB", (c) => c.peak],
  };

  /** Costs that are all but equal are one: of such rows the best stands first. */
  function byCost(points) {
    const groups = [];
    for (const p of [...points].sort((a, b) => a.x - b.x || b.y - a.y)) {
      const last = groups.at(-1);
      if (last && p.x <= last[0].x * (1 + SAME)) last.push(p);
      else groups.push([p]);
    }
    return groups.flatMap((g) => g.sort((a, b) => b.y - a.y));
  }

  /** Of rows on one backbone, those that no cheaper row matches; more expensive ones are better by more than noise. */
  function front(points) {
    let [best, error] = [-Infinity, 0];
    return byCost(points).filter((p) => {
      if (!(p.y > best + NOISE * Math.hypot(error, p.error))) return false;
      [best, error] = [p.y, p.error];
      return true;
    });
  }

  function steps(c, best, kind) {
    const d = best.map((p, i) => (i ? `H${c.x(p.x).toFixed(1)}V${c.y(p.y).toFixed(1)}`
      : `M${c.x(p.x).toFixed(1)} ${c.y(p.y).toFixed(1)}`)).join("");
    return svg("path", { class: `pareto line s${kind % 8}`, d });
  }

  /** Names of the frontier's rows, and of others as long as there is room beside them. */
  function labels(c, points) {
    const order = [...points].sort((a, b) => (b.front ? 1 : 0) - (a.front ? 1 : 0) || b.y - a.y).slice(0, 14);
    const marks = points.map((p) => ({ left: c.x(p.x) - 4, right: c.x(p.x) + 4, top: c.y(p.y) - 4, bottom: c.y(p.y) + 4 }));
    const asked = order.map((p) => ({ x: c.x(p.x), y: c.y(p.y), text: RECMERGE.fitted(p.row.label, 230, 11.5) }));
    return RECMERGE.placed(asked, { ...c.box, right: c.box.right + 16 }, marks).map((place, n) => place
      && svg("text", { class: order[n].front ? "label" : "label faint", x: place.x, y: place.y, "text-anchor": place.anchor }, asked[n].text));
  }

  /** A linear axis where costs differ little, else one of decades. */
  function axisOf(xs) {
    const [low, high] = [Math.min(...xs), Math.max(...xs)];
    return high > 10 * low ? RECMERGE.log(low / 1.3, high * 1.3) : RECMERGE.linear(low - (high - low) * 0.06, high + (high - low) * 0.06, 5);
  }

  RECMERGE.views.cost = {
    name: "Cost",
    draw(view, redraw) {
      const axis = RECMERGE.among("cost", Object.keys(AXES));
      const [name, of] = AXES[axis];
      const chooser = el("div", { class: "controls" }, el("label", {}, "Cost ", el("select", {
        "data-key": "cost", onchange: (event) => { state.cost = event.target.value; redraw(); } },
      Object.entries(AXES).map(([key, [text]]) => el("option", { value: key, selected: key === axis }, text)))));
      const known = view.rows.map((row) => ({ row, value: RECMERGE.valueOf(row, view.metric, view.domain) }))
        .filter((p) => p.value && p.row.cost);
      const points = known.map((p) => ({ row: p.row, y: p.value[0], x: of(p.row.cost),
        error: (RECMERGE.spread(p.value[2]) || 0) / Math.sqrt(p.value[2].length || 1) })).filter((p) => p.x > 0);
      const data = RECMERGE.dataTable(`${view.metric} and cost`, ["method", "backbone", view.metric, "training s", "merge s", "other s", "peak MiB"],
        known.sort((a, b) => b.value[0] - a.value[0]).map((p) => [p.row.label, p.row.backbone, RECMERGE.fixed(p.value[0]),
          ...["train", "merge", "other", "peak"].map((k) => RECMERGE.plain(p.row.cost[k]))]));
      if (!points.length) {
        return [chooser, el("p", {}, known.length ? "None of these rows has such a cost." : "No costs are recorded for these rows."), known.length ? data : null];
      }
      const backbones = [...new Set(view.table.rows.map((row) => row.backbone))];
      const fronts = backbones.map((b) => front(points.filter((p) => p.row.backbone === b)));
      const best = fronts.flat();
      for (const p of best) p.front = true;
      const ys = points.map((p) => p.y);
      const pad = (Math.max(...ys) - Math.min(...ys)) * 0.06 || Math.abs(ys[0]) * 0.1 || 1;
      const where = view.domain || "mean over the domains";
      const c = RECMERGE.chart({ width: Math.min(1200, RECMERGE.room()), height: HEIGHT, x: axisOf(points.map((p) => p.x)),
        y: RECMERGE.linear(Math.min(...ys) - pad, Math.max(...ys) + pad, 6), xName: name,
        yName: `${view.metric}, ${where}`, title: `${view.metric} against cost: ${name}`,
        about: `${points.length} rows; beaten by no cheaper one of the same backbone: ${best.map((p) => p.row.label).join("; ")}. The data stand in a table below.` });
      const drawn = [...fronts.map((f, n) => (f.length ? steps(c, f, n) : null)),
        ...points.map((p) => RECMERGE.shape(backbones.indexOf(p.row.backbone), c.x(p.x), c.y(p.y), p.front ? 5 : 3.6, p.front,
          `${RECMERGE.nameOf(p.row)}: ${RECMERGE.fixed(p.y)}, ${name} ${RECMERGE.plain(p.x)}`)),
        ...labels(c, points)];
      c.root.append(...drawn.filter(Boolean));
      const key = el("p", { class: "legend" }, backbones.map((b, n) => el("span", { class: "key" },
        svg("svg", { width: 13, height: 13, "aria-hidden": "true" }, RECMERGE.shape(n, 6.5, 6.5, 4.5)), b === "–" ? "no backbone" : b)));
      const none = known.length - points.length;
      return [chooser, key, RECMERGE.boxed("Quality against cost", c.root),
        el("p", { class: "muted note-line" }, "Dashed line: the Pareto front of each backbone, the rows that no cheaper row matches. A more expensive row is on it "
          + "if it is better by more than two standard errors over seeds; costs within 5 % count as equal. Seconds of one worker, "
          + "means over seeds; a training that several rows share counts for each.", none ? ` ${none} row(s) have no such cost (nothing was merged or trained) and are not drawn.` : ""),
        data];
    },
  };
})();
