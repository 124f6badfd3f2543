"use strict";
// Two to five methods side by side: domains with intervals, groups, memorised steps, order, cost.
(() => {
  const { el, svg, state } = RECMERGE;
  const MOST = 5;

  const picked = () => state.pick.split(",").filter(Boolean);

  /** A box that puts a row beside others. */
  function picker(row, redraw) {
    const on = picked().includes(row.id);
    return el("button", { type: "button", class: "pick", "aria-pressed": String(on), "data-key": `pick ${row.id}`,
      "aria-label": `Compare ${RECMERGE.nameOf(row)}`, title: on ? "No longer compare" : "Compare side by side",
      onclick: () => {
        const others = picked().filter((id) => id !== row.id);
        state.pick = (on ? others : [...others, row.id].slice(-MOST)).join(",");
        redraw();
      } }, on ? "✓" : "+");
  }

  /** The rows that are compared: those picked, else the best of each band. */
  function chosen(view) {
    const rows = picked().map((id) => view.table.rows.find((r) => r.id === id)).filter(Boolean);
    if (rows.length) return rows.slice(0, MOST);
    const top = RECMERGE.BANDS.map(([band]) => view.table.rows.filter((r) => r.band === band)
      .filter((r) => RECMERGE.valueOf(r, view.metric, ""))
      .sort((a, b) => RECMERGE.valueOf(b, view.metric, "")[0] - RECMERGE.valueOf(a, view.metric, "")[0])[0]);
    return top.filter(Boolean);
  }

  let named = (row) => row.label;

  function chooser(view, rows, redraw) {
    const left = view.table.rows.filter((r) => !rows.includes(r) && RECMERGE.valueOf(r, view.metric, ""));
    const set = (ids) => { state.pick = ids.join(","); redraw(); };
    const ids = rows.map((r) => r.id);
    return el("div", { class: "modes" },
      rows.map((r, n) => el("button", { type: "button", class: "key", "data-key": `drop ${r.id}`,
        "aria-label": `Remove ${RECMERGE.nameOf(r)}`, onclick: () => set(ids.filter((id) => id !== r.id)) },
      el("span", { class: `chip s${n}` }), named(r), " ×")),
      rows.length < MOST && left.length ? el("select", { "data-key": "add", "aria-label": "Add a method",
        onchange: (event) => set([...ids, event.target.value]) },
      el("option", { value: "" }, "add a method …"),
      left.map((r) => el("option", { value: r.id }, named(r)))) : null);
  }

  /** A dot with its interval for each row, on one axis; means written beside. */
  function dots(title, rows, of) {
    const found = rows.map((row) => of(row));
    const known = found.filter(Boolean);
    if (!known.length) return null;
    const ends = known.flatMap((v) => [v[0], ...(v[2].length > 2 && v[1] ? v[1] : v[2])]);
    const pad = (Math.max(...ends) - Math.min(...ends)) * 0.08 || Math.abs(ends[0]) * 0.1 || 1;
    const scale = RECMERGE.linear(Math.min(...ends) - pad, Math.max(...ends) + pad, 4);
    return el("section", { class: "side" }, el("h3", {}, title), el("table", { class: "strips side-table" },
      el("tbody", {}, rows.map((row, n) => el("tr", {},
        el("th", { scope: "row" }, named(row)),
        el("td", { class: "wide" }, found[n] ? RECMERGE.strip({ mean: found[n][0], ends: found[n][1],
          dots: found[n][2] }, scale, false, `c${n}`) : "–"),
        el("td", { class: "num" }, found[n] ? RECMERGE.fixed(found[n][0]) : "–"))),
      el("tr", { "aria-hidden": "true" }, el("td", {}), el("td", { class: "wide" }, RECMERGE.axisTicks(scale, RECMERGE.room() < 520 ? 110 : 150)), el("td", {})))));
  }

  /** Bars from zero for each row. */
  function bars(title, rows, of, text) {
    const values = rows.map(of);
    const most = Math.max(...values.filter((v) => !RECMERGE.none(v)), 0);
    if (!most) return null;
    return el("section", { class: "side" }, el("h3", {}, title), el("table", { class: "strips side-table" },
      el("tbody", {}, rows.map((row, n) => el("tr", {},
        el("th", { scope: "row" }, named(row)),
        el("td", { class: "wide" }, RECMERGE.none(values[n]) ? "–" : svg("svg", { class: "strip", height: 20, "aria-hidden": "true" },
          svg("rect", { class: `dot s${n}`, x: 0, y: 4, height: 12, width: `${Math.max(0.3, 100 * values[n] / most).toFixed(2)}%` }))),
        el("td", { class: "num" }, text(values[n])))))));
  }

  /** Rows of a card of the table that are about the methods chosen. */
  function card(one, rows) {
    const names = new Set(rows.flatMap((r) => [r.label, r.method]));
    const kept = one.rows.filter((line) => line.some((text) => names.has(text)));
    if (!kept.length) return null;
    return el("details", { class: "whole" }, el("summary", {}, one.title), RECMERGE.table(one.title,
      el("tr", {}, one.headers.map((t) => el("th", { scope: "col" }, t))),
      kept.map((line) => el("tr", {}, line.map((text) => el("td", {}, text)))), "card"));
  }

  function groups(view, rows) {
    const names = [...new Set(rows.flatMap((r) => Object.keys(r.groups || {})))];
    const about = view.table.groups || {};
    /** The group in words, without the name that stands before them. */
    const words = (name) => (about[name] || name).replace(`${name}: `, "");
    return names.map((name) => bars(words(name), rows, (r) => r.groups?.[name] ?? null, RECMERGE.fixed));
  }

  RECMERGE.views.compare = {
    name: "Compare",
    draw(view, redraw) {
      const rows = chosen(view);
      named = (row) => row.label + RECMERGE.beside(row, view);
      if (!rows.length) return [el("p", { class: "note" }, "No row of this table has results to compare.")];
      const domains = view.table.domains.length > 1 ? ["", ...view.table.domains] : [""];
      const of = groups(view, rows).filter(Boolean);
      const why = RECMERGE.uncompared({ ...view, domain: "" });
      const spent = (key, text, form) => bars(text, rows, (r) => r.cost?.[key] ?? null, form);
      return [chooser(view, rows, redraw),
        el("h2", {}, `${view.metric} with 95 % intervals over seeds`),
        el("div", { class: "sides" }, domains.map((d) => dots(d || (domains.length > 1 ? "mean" : view.table.domains[0]), rows, (r) => RECMERGE.valueOf(r, view.metric, d)))),
        of.length ? el("h2", {}, `${view.suite.metrics[0]} by group of test targets`) : null,
        of.length ? el("div", { class: "sides" }, of) : null,
        el("h2", {}, "Verdicts"),
        why ? el("p", {}, why) : el("ul", {}, rows.map((r) => el("li", {}, `${named(r)}: `, RECMERGE.verdict(r)))),
        el("h2", {}, "Cost, means over seeds"),
        el("div", { class: "sides" }, spent("train", "training, seconds", RECMERGE.plain), spent("merge", "merging, seconds", RECMERGE.plain), spent("peak", "peak memory, MiB", RECMERGE.plain)),
        ...view.table.cards.map((one) => card(one, rows))];
    },
  };

  Object.assign(RECMERGE, { picker });
})();
