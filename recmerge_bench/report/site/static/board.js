"use strict";
// The table itself: sort, hide, best and second best.
(() => {
  const { el, state, nameOf } = RECMERGE;

  /** [mean, interval over seeds, each seed's] of a row, or null. */
  const valueOf = (row, metric, domain) => row.values[metric]?.[domain || "mean"] ?? null;

  /** The two highest means as printed. */
  function best(rows, metric, domain) {
    const found = rows.map((row) => valueOf(row, metric, domain)).filter(Boolean)
      .map((v) => v[0].toFixed(4));
    return [...new Set(found)].sort((a, b) => b - a).slice(0, 2);
  }

  function columns(view) {
    const { table, metric, domain, suite } = view;
    const measured = domain === ""
      ? [...table.domains, "mean"].map((d) => ({ key: `d:${d}`, title: d, metric, domain: d }))
      : suite.metrics.map((m) => ({ key: `m:${m}`, title: m, metric: m, domain }));
    const found = [
      { key: "method", title: "method", text: (row) => row.label, first: true },
      { key: "backbone", title: "backbone", text: (row) => row.backbone },
      ...measured.map((c) => ({ ...c, number: (row) => valueOf(row, c.metric, c.domain)?.[0],
        best: best(table.rows, c.metric, c.domain) })),
    ];
    if (table.compared.length) {
      found.push({ key: "verdict", title: "verdict", text: (row) => said(row) || "–" });
      found.push({ key: "difference", title: "difference",
        number: (row) => row.difference?.mean, differs: true });
    }
    found.push({ key: "seeds", title: "seeds", number: (row) => row.seeds.length || null });
    return found;
  }

  function compare(a, b, sign) {
    const [x, y] = [a ?? null, b ?? null];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "string" ? x.localeCompare(y, "en") : x - y);
  }

  function sorted(rows, all) {
    const down = state.sort.startsWith("-");
    const column = all.find((c) => c.key === state.sort.slice(down ? 1 : 0));
    if (!column) return rows;
    const of = column.text || column.number;
    return [...rows].sort((a, b) => compare(of(a), of(b), down ? -1 : 1));
  }

  /** First click: highest numbers or first names on top; then the other way; then the suite's. */
  function turned(column) {
    const [first, second] = column.text ? [column.key, `-${column.key}`]
      : [`-${column.key}`, column.key];
    return state.sort === first ? second : state.sort === second ? "" : first;
  }

  function head(column, redraw) {
    const on = state.sort.replace(/^-/, "") === column.key;
    const direction = !on ? "none" : state.sort.startsWith("-") ? "descending" : "ascending";
    const mark = { none: "", ascending: " ▲", descending: " ▼" }[direction];
    return el("th", { scope: "col", "aria-sort": direction, class: column.text ? null : "num" },
      el("button", { type: "button", class: "sort", "data-key": `sort ${column.key}`,
        onclick: () => { state.sort = turned(column); redraw(); } },
      column.title, el("span", { "aria-hidden": "true", class: "mark" }, mark)));
  }

  function spread(values) {
    if (values.length < 2) return null;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
  }

  function measured(row, column) {
    const value = valueOf(row, column.metric, column.domain);
    if (!value) {
      const why = column.domain === "mean" && row.gaps[0] ? row.gaps[0].status : "–";
      return el("td", { class: "num muted" }, why);
    }
    const text = value[0].toFixed(4);
    const place = column.best.indexOf(text);
    const sd = spread(value[2]);
    const shown = place === 0 ? el("strong", {}, text) : place === 1 ? el("u", {}, text) : text;
    return el("td", { class: "num" }, shown,
      sd === null ? null : el("span", { class: "muted small" }, ` ± ${sd.toFixed(4)}`));
  }

  /** A verdict, or why there is none. */
  const said = (row) => (row.reason ? `${row.verdict} (${row.reason})` : row.verdict);

  /** The verdict; where it leaves the methods open, what is said of these models beside it. */
  function verdict(row) {
    if (!row.verdict) return el("span", { class: "muted" }, "–");
    return [el("span", { class: `verdict ${row.verdict.replace(" ", "-")}` }, said(row)),
      row.models_beside ? el("span", { class: "muted small" }, ` these models: ${row.models}`) : null];
  }

  function difference(row) {
    const found = row.difference;
    if (!found) return el("td", { class: "num muted" }, "–");
    return el("td", { class: "num" }, RECMERGE.signed(found.mean),
      el("span", { class: "muted small" }, ` ${RECMERGE.between(found.methods, RECMERGE.signed)}`));
  }

  const seeds = (row) => (!row.wanted ? "–"
    : row.seeds.length === row.wanted ? String(row.wanted)
      : `${row.seeds.length} of ${row.wanted}`);

  function cell(row, column) {
    if (column.metric) return measured(row, column);
    if (column.differs) return difference(row);
    if (column.key === "verdict") return el("td", {}, verdict(row));
    if (column.key === "seeds") return el("td", { class: "num" }, seeds(row));
    return el("td", { class: "muted" }, column.text(row));
  }

  /** The head of a row: its method with a link to the method's page. */
  const rowHead = (row, before = [], after = "") => el("th", { scope: "row" }, before,
    el("a", { href: `methods/${row.page}.html`, title: row.made }, row.label),
    after && el("span", { class: "muted" }, after));

  function hider(row, redraw) {
    return el("button", { type: "button", class: "hide", "data-key": `hide ${row.id}`,
      "aria-label": `Hide ${nameOf(row)}`, title: "Hide this row", onclick: () => {
        state.hide = [...RECMERGE.hidden(), row.id].join(",");
        redraw();
      } }, "×");
  }

  RECMERGE.views.table = {
    name: "Table",
    draw(view, redraw) {
      const all = columns(view);
      const rows = sorted(view.rows, all).map((row) => el("tr", { "data-row": row.id },
        rowHead(row, [hider(row, redraw)]), all.slice(1).map((column) => cell(row, column))));
      const what = view.domain === "" ? `${view.metric} by domain` : `${view.domain}: all metrics`;
      const beside = view.table.compared.map((c) => `${c.metric} beside ${c.label}`).join("; ");
      const note = [
        "Means over seeds ± sample standard deviation. Best in bold, second underlined.",
        beside && ` Difference, interval and verdict: ${beside}; about the methods (seeds and users `
          + "both drawn anew), adjusted by Holm for all rows of the table. These models: users alone "
          + "drawn anew.",
      ];
      return [
        RECMERGE.table(`${view.table.track}, ${view.table.protocol}: ${what}`,
          el("tr", {}, all.map((column) => head(column, redraw))), rows, "board"),
        el("p", { class: "muted note-line" }, note),
      ];
    },
  };

  Object.assign(RECMERGE, { valueOf, said, verdict, rowHead, seeds });
})();
