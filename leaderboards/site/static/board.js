"use strict";
// The table itself: three bands, ranked; best and second best of each; verdicts where there are any.
(() => {
  const { el, state, nameOf } = RECMERGE;
  const BANDS = [
    ["heuristics", "Heuristics", "count, and train nothing"],
    ["references", "References", "trained models as they are, nothing merged"],
    ["methods", "Methods", "what this board compares"],
  ];

  /** [mean, interval over seeds, each seed's] of a row, or null. */
  const valueOf = (row, metric, domain) => row.values[metric]?.[domain || "mean"] ?? null;

  const printed = (row, metric, domain) => {
    const value = valueOf(row, metric, domain);
    return value && value[0].toFixed(4);
  };

  /** The two highest means as printed. */
  function best(rows, metric, domain) {
    const found = rows.map((row) => printed(row, metric, domain)).filter(Boolean);
    return [...new Set(found)].sort((a, b) => b - a).slice(0, 2);
  }

  /** Of the rows of a band: row id -> rank from 1; rows with equal printed means share one. */
  function ranks(rows, metric, domain) {
    const all = rows.map((row) => printed(row, metric, domain)).filter(Boolean).sort((a, b) => b - a);
    return new Map(rows.map((row) => {
      const own = printed(row, metric, domain);
      return [row.id, own === null ? null : all.indexOf(own) + 1];
    }));
  }

  /** Why no difference and no verdict belong to the metric and domain shown; empty: they do. */
  function uncompared({ table, suite, metric, domain }) {
    if (!table.compared.length) {
      return suite.label === "smoke" ? "A smoke board carries no verdicts."
        : "Nothing is compared here: the track names no baseline, or has no results of it yet.";
    }
    const metrics = [...new Set(table.compared.map((c) => c.metric))];
    if (domain === "" && metrics.includes(metric)) return "";
    const here = domain === "" ? metric : `${metric} in ${domain}`;
    return `No difference or verdict for ${here}: comparisons are of ${metrics.join(", ")}, mean over the domains.`;
  }

  /** Several backbones: rows are named with theirs. */
  const several = (table) => new Set(table.rows.map((r) => r.backbone).filter((b) => b !== "–")).size > 1;
  const beside = (row, view) => (several(view.table) && row.backbone !== "–" ? ` ${row.backbone}` : "");

  function shareOf(row, view) {
    return row.shares[view.metric]?.[view.domain || "mean of ratios"] ?? null;
  }

  function measures(view) {
    const { table, metric, domain, suite } = view;
    const column = (m, d, title) => ({ key: `${m === metric ? "d" : "m"}:${m === metric ? d || "mean" : m}`,
      title, metric: m, domain: d, number: (row) => valueOf(row, m, d)?.[0] ?? null });
    const first = column(metric, domain, domain ? `${metric}, ${domain}` : (table.domains.length > 1 ? "mean" : metric));
    const others = domain === "" ? (table.domains.length > 1 ? table.domains.map((d) => column(metric, d, d)) : [])
      : suite.metrics.filter((m) => m !== metric).map((m) => column(m, domain, m));
    return [{ ...first, first: true }, ...others];
  }

  function columns(view) {
    const [first, ...others] = measures(view);
    const found = [
      { key: "rank", title: "rank", plain: true },
      { key: "method", title: "method", text: (row) => row.label },
      first,
    ];
    if (view.table.compared.length) {
      found.push({ key: "verdict", title: "verdict", word: "verdict", text: (row) => said(row) || "–" });
    }
    if (view.table.reference) {
      found.push({ key: "share", title: `÷ ${view.table.reference}`, word: "mean of ratios",
        number: (row) => shareOf(row, view), share: true });
    }
    if (view.table.compared.length) {
      found.push({ key: "difference", title: "difference", word: "difference",
        number: (row) => row.difference?.mean ?? null, differs: true });
    }
    return [...found, ...others, { key: "seeds", title: "seeds", word: "seeds", number: (row) => row.seeds.length || null }];
  }

  function compare(a, b, sign) {
    const [x, y] = [a ?? null, b ?? null];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "string" ? x.localeCompare(y, "en") : x - y);
  }

  /** Rows of a band by the column that is sorted by; by default the highest of the first on top. */
  function sorted(rows, all) {
    const down = !state.sort || state.sort.startsWith("-");
    const key = state.sort.replace(/^-/, "");
    const column = all.find((c) => c.key === key && !c.plain) || all.find((c) => c.first);
    const of = column.text || column.number;
    return [...rows].sort((a, b) => compare(of(a), of(b), down ? -1 : 1));
  }

  /** First click: highest numbers or first names on top; then the other way; then ranked again. */
  function turned(column) {
    const [first, second] = column.text ? [column.key, `-${column.key}`]
      : [`-${column.key}`, column.key];
    return state.sort === first ? second : state.sort === second ? "" : first;
  }

  function head(column, redraw) {
    const on = state.sort.replace(/^-/, "") === column.key || (!state.sort && column.first);
    const direction = !on ? "none" : state.sort.startsWith("-") || !state.sort ? "descending" : "ascending";
    const mark = { none: "", ascending: " ▲", descending: " ▼" }[direction];
    const about = column.word && RECMERGE.glossary[column.word];
    const kind = [column.text || column.plain ? null : "num", `c-${column.key.replace(/[^a-z]/g, "")}`].filter(Boolean).join(" ");
    if (column.plain) return el("th", { scope: "col", class: kind }, el("span", { class: "away" }, column.title), "#");
    return el("th", { scope: "col", "aria-sort": direction, class: kind },
      el("button", { type: "button", class: "sort", "data-key": `sort ${column.key}`, title: about,
        onclick: () => { state.sort = turned(column); redraw(); } },
      column.title, el("span", { "aria-hidden": "true", class: "mark" }, mark)));
  }

  function spread(values) {
    if (values.length < 2) return null;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
  }

  function measured(row, column, tops) {
    const value = valueOf(row, column.metric, column.domain);
    if (!value) {
      const why = column.first && row.gaps[0] ? row.gaps[0].status : "–";
      return el("td", { class: "num muted" }, why);
    }
    const text = value[0].toFixed(4);
    const place = tops.indexOf(text);
    const sd = spread(value[2]);
    const shown = place === 0 ? el("strong", {}, text) : place === 1 ? el("u", {}, text) : text;
    return el("td", { class: "num" }, shown,
      sd === null ? null : el("span", { class: "muted small sd" }, ` ± ${sd.toFixed(4)}`));
  }

  /** A verdict, or why there is none. */
  function said(row) {
    if (row.verdict) return row.reason ? `${row.verdict} (${row.reason})` : row.verdict;
    return row.wanted && row.seeds.length && row.seeds.length < row.wanted
      ? `no verdict (${row.seeds.length} of ${row.wanted} seeds)` : "";
  }

  /** The verdict; where it leaves the methods open, the verdict about these trained models beside it. */
  function verdict(row, beside = true) {
    if (!said(row)) return el("span", { class: "muted" }, "–");
    const word = row.verdict || "no verdict";
    return [el("span", { class: `verdict ${word.replace(" ", "-")}`, title: RECMERGE.glossary[word] }, said(row)),
      beside && row.models_beside ? el("span", { class: "muted small models" }, ` models: ${row.models}`) : null];
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

  function cell(row, column, view, tops, why) {
    if (column.metric) return measured(row, column, tops.get(column.key));
    if (column.share) return el("td", { class: "num" }, RECMERGE.percent(shareOf(row, view)));
    if (why && (column.differs || column.key === "verdict")) return el("td", { class: "uncompared", title: why });
    if (column.differs) return difference(row);
    if (column.key === "verdict") return el("td", { class: "c-verdict" }, verdict(row));
    return el("td", { class: "num" }, seeds(row));
  }

  /** A name in which lines may break behind the commas of its options. */
  const breakable = (label) => label.split(",").flatMap((part, n, all) => (
    n < all.length - 1 ? [`${part},`, el("wbr")] : [part]));

  /** The head of a row: its method with a link to the method's page. */
  const rowHead = (row, before = [], after = "") => el("th", { scope: "row" }, before,
    el("a", { href: `methods/${row.page}.html`, title: row.made }, breakable(row.label)),
    after && el("span", { class: "muted" }, after));

  function hider(row, redraw) {
    return el("button", { type: "button", class: "hide", "data-key": `hide ${row.id}`,
      "aria-label": `Hide ${nameOf(row)}`, title: "Hide this row", onclick: () => {
        state.hide = [...RECMERGE.hidden(), row.id].join(",");
        redraw();
      } }, "×");
  }

  function line(row, all, view, place, tops, why, redraw) {
    const number = place === null ? "–" : String(place);
    return el("tr", { "data-row": row.id, class: place === null ? "undone" : null },
      el("td", { class: "rank" }, number), rowHead(row, [], beside(row, view)),
      all.slice(2).map((column) => cell(row, column, view, tops, why)),
      el("td", { class: "act" }, RECMERGE.picker(row, redraw), hider(row, redraw)));
  }

  function band([key, title, about], view, all, why, redraw) {
    const whole = view.table.rows.filter((row) => row.band === key);
    const shown = sorted(view.rows.filter((row) => row.band === key), all);
    if (!shown.length) return [];
    const places = ranks(whole, view.metric, view.domain);
    const tops = new Map(all.filter((c) => c.metric).map((c) => [c.key, best(whole, c.metric, c.domain)]));
    const cells = all.length + 1;
    return [el("tr", { class: "band-row" }, el("th", { colspan: cells, scope: "rowgroup" },
      el("span", { class: "band-name" }, title, el("span", { class: "muted" }, ` ${about}`)))),
    shown.map((row) => line(row, all, view, places.get(row.id), tops, why, redraw))];
  }

  /** Under the table: what its numbers are. */
  function note(view, why) {
    const against = [...new Set(view.table.compared.map((c) => c.label))].join("; ");
    return el("p", { class: "muted note-line" },
      "Ranked within each band by the first column. Means over seeds ± sample standard deviation. "
      + "Best of a band in bold, second underlined.",
      why || !against ? null : ` Difference and verdict: from ${against}, with the interval behind the verdict `
        + "about the methods (resampling seeds and users), adjusted by Holm for all rows of the table. "
        + "Models: the verdict about these trained models alone, resampling users and not seeds.");
  }

  /** Before the table: why it has no verdicts, and the way to those there are. */
  function reason(view, why, redraw) {
    if (!why) return null;
    const target = view.table.compared[0]?.metric;
    return el("p", { class: "why" }, why, " ", target && el("button", { type: "button", class: "quiet",
      "data-key": "compared", onclick: () => { Object.assign(state, { metric: target, domain: "" }); redraw(); } },
    `Show ${target}, mean`));
  }

  function nothing(view, redraw) {
    return [el("p", { class: "note", role: "status" }, "No row fits these filters",
      state.q ? ` (“${state.q}”)` : "", ". ", el("button", { type: "button", class: "quiet",
        "data-key": "clear", onclick: () => {
          Object.assign(state, { q: "", backbone: "", hide: "" });
          document.getElementById("q").value = "";
          redraw();
        } }, "Clear the filters"))];
  }

  function undone(view, count, redraw) {
    if (!count) return null;
    const text = state.undone ? "Hide rows without results" : `Show ${count} rows without results`;
    return el("button", { type: "button", class: "quiet", "data-key": "undone",
      onclick: () => { state.undone = state.undone ? "" : "1"; redraw(); } }, text);
  }

  RECMERGE.views.table = {
    name: "Table",
    draw(view, redraw) {
      if (!view.rows.length) return nothing(view, redraw);
      const all = columns(view);
      const why = uncompared(view);
      const done = view.rows.filter((row) => valueOf(row, view.metric, ""));
      const shown = { ...view, rows: state.undone ? view.rows : done };
      const what = view.domain === "" ? `${view.metric}, by the mean over the domains` : `${view.domain}, by ${view.metric}`;
      const body = BANDS.map((one) => band(one, shown, all, why, redraw));
      const foot = undone(view, view.rows.length - done.length, redraw);
      if (!body.flat(2).length) return [el("p", { class: "note" }, "No row of this table has results yet."), foot];
      return [
        reason(view, why, redraw),
        RECMERGE.table(`${view.table.track}, ${view.table.protocol}: ${what}`,
          el("tr", {}, all.map((column) => head(column, redraw)),
            el("th", { scope: "col" }, el("span", { class: "away" }, "compare or hide"))), body, "board"),
        foot, note(view, why),
      ];
    },
  };

  Object.assign(RECMERGE, { valueOf, said, verdict, rowHead, seeds, spread, uncompared, beside, shareOf, nothing, BANDS });
})();
