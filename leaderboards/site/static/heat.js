"use strict";
// Scores by domain, divided by those of the own-domain expert; a cell's colour is its bin.
(() => {
  const { el } = RECMERGE;
  const BINS = [0.5, 0.75, 0.9, 0.99, 1.01, 1.1, Infinity];
  const NAMES = ["< 50 %", "50–75 %", "75–90 %", "90–99 %", "99–101 %", "101–110 %", "≥ 110 %"];
  const AVERAGES = ["mean of ratios", "ratio of means"];

  const bin = (share) => BINS.findIndex((end) => share < end);

  /** Where no expert is declared: by the best row of the table in that domain. */
  function byBest(view) {
    const top = {};
    for (const d of view.table.domains) {
      top[d] = Math.max(...view.table.rows.map((r) => RECMERGE.valueOf(r, view.metric, d)?.[0] ?? 0));
    }
    return (row) => {
      if (!RECMERGE.valueOf(row, view.metric, "mean")) return null;
      const shares = {};
      for (const d of view.table.domains) {
        const value = RECMERGE.valueOf(row, view.metric, d);
        shares[d] = value && top[d] ? value[0] / top[d] : null;
      }
      return shares;
    };
  }

  function cell(share) {
    return RECMERGE.none(share) ? el("td", { class: "num muted" }, "–")
      : el("td", { class: `num heat h${bin(share)}` }, (100 * share).toFixed(1));
  }

  RECMERGE.views.heat = {
    name: "Heat map",
    draw(view) {
      const { table, metric } = view;
      const expert = table.reference;
      const of = expert ? (row) => row.shares[metric] : byBest(view);
      const names = [...table.domains, ...(expert ? AVERAGES : [])];
      const rows = view.rows.map((row) => [row, of(row)]).filter(([, shares]) => shares);
      if (!rows.length) return [el("p", {}, "Nothing to draw for this choice.")];
      const key = expert ? "mean of ratios" : table.domains[0];
      rows.sort(([, a], [, b]) => (b[key] ?? -1) - (a[key] ?? -1));
      const what = expert ? `that of ${expert} on the same backbone and seed` : "the best of the table";
      return [
        RECMERGE.table(`${metric} divided by ${what}, per cent`,
          el("tr", {}, ["method", ...names].map((n, i) =>
            el("th", { scope: "col", class: i ? "num" : null }, n))),
          rows.map(([row, shares]) => el("tr", { "data-row": row.id },
            RECMERGE.rowHead(row, [], RECMERGE.beside(row, view)), names.map((n) => cell(shares[n])))), "heatmap"),
        el("p", { class: "legend" }, NAMES.map((n, i) =>
          el("span", { class: `swatch heat h${i}` }, n))),
        expert ? null : el("p", { class: "muted note-line" },
          "This track declares no own-domain expert to divide by."),
      ];
    },
  };
})();
