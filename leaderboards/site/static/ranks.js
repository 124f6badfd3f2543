"use strict";
// Mean ranks over the domains with intervals; bars join what cannot be told apart.
(() => {
  const { el } = RECMERGE;

  const letter = (n) => (n < 26 ? "" : letter(Math.floor(n / 26) - 1)) + String.fromCharCode(97 + (n % 26));

  function bars(groups, number) {
    return groups.map((group, n) => {
      const mine = group.includes(number);
      const ends = mine ? [group[0] === number && "first", group.at(-1) === number && "last"] : [];
      return el("span", { class: ["bar-slot", mine && `on g${n % 6}`, ...ends].filter(Boolean).join(" "),
        "aria-hidden": "true" });
    });
  }

  function table(view, found) {
    const rows = new Map(view.table.rows.map((row) => [row.id, row]));
    const visible = new Set(view.rows.map((row) => row.id));
    const order = found.rows.map((r, n) => [n, ...r]).sort((a, b) => a[2] - b[2]);
    const scale = RECMERGE.linear(0.5, found.rows.length + 0.5, 8);
    const shown = order.filter(([, id]) => visible.has(id));
    const body = shown.map(([n, id, rank, low, high]) => {
      const groups = found.groups.map((g, i) => (g.includes(n) ? letter(i) : "")).join("");
      return el("tr", { "data-row": id }, 
        RECMERGE.rowHead(rows.get(id), [], RECMERGE.beside(rows.get(id), view)),
        el("td", { class: "wide" },
          RECMERGE.strip({ mean: rank, ends: [low, high], dots: [] }, scale, false, "")),
        el("td", { class: "group-cell" }, bars(found.groups, n)),
        el("td", {}, groups), el("td", { class: "num" }, rank.toFixed(2)),
        el("td", { class: "num" }, low.toFixed(2) === high.toFixed(2) ? "in all resamples"
          : `[${low.toFixed(2)}, ${high.toFixed(2)}]`));
    });
    const head = el("tr", {}, el("th", { scope: "col" }, "method"),
      el("th", { scope: "col", class: "wide" }, el("span", { class: "away" }, "drawn"), RECMERGE.axisTicks(scale)),
      el("th", { scope: "col", class: "group-head" }, el("span", { class: "away" }, "bars of groups")),
      el("th", { scope: "col" }, "groups"), el("th", { scope: "col", class: "num" }, "mean rank"),
      el("th", { scope: "col", class: "num" }, "95 % interval"));
    return RECMERGE.table(`Mean rank over the domains by ${found.metric}, 1 is best`, head, body, "ranks");
  }

  RECMERGE.views.ranks = {
    name: "Ranks",
    draw(view) {
      const found = view.table.across;
      if (!found) {
        const why = view.suite.label === "smoke" ? "a smoke board carries none"
          : "fewer than two rows of this table are whole, there is one domain, or one has fewer "
            + "than 30 users";
        return [el("p", {}, `No ranks over the domains: ${why}.`)];
      }
      const said = found.said ? found.said[0].toUpperCase() + found.said.slice(1) : "Two rows";
      const left = found.left
        ? ` ${found.left} row(s) lack seeds and are not ranked.` : "";
      return [table(view, found), el("p", { class: "note-line muted" },
        "Rows that share a bar (or a letter) do not differ significantly. A row and the baseline differ "
        + "where the verdict says so; all other pairs are tested together (Holm). Rows without verdicts share no bar. "
        + "Intervals resample seeds and users (two-level bootstrap). Hidden rows are ranked too.", left),
      el("p", { class: "note" }, `${said}.`,
        found.difference === null ? null : ` Nemenyi’s critical difference: ${found.difference.toFixed(2)} ranks.`)];
    },
  };
})();
