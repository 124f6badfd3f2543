"use strict";
// What stands below every view: missing results, the protocol card, the command.
(() => {
  const { el } = RECMERGE;

  function missing(table) {
    const rows = table.rows.flatMap((row) => row.gaps.map((gap) => el("tr", {}, RECMERGE.rowHead(row),
      el("td", { class: "muted" }, row.backbone), el("td", {}, gap.status),
      el("td", {}, gap.seeds.join(", ") || "–"), el("td", { class: "wrap" }, gap.reason || "–"),
      el("td", { class: "wrap" }, gap.mend || "–"))));
    if (!rows.length) return [el("h2", {}, "Missing results"), el("p", {}, "None: every row of this table is done.")];
    const titles = ["method", "backbone", "status", "seeds", "reason", "how to fix it"];
    return [el("h2", {}, "Missing results"), RECMERGE.table(`${rows.length} row(s) with missing seeds`,
      el("tr", {}, titles.map((t) => el("th", { scope: "col" }, t))), rows, "missing")];
  }

  /** A card: a table of texts with what it says. */
  function card(one) {
    const head = el("tr", {}, one.headers.map((t) => el("th", { scope: "col" }, t)));
    const rows = one.rows.map((row) => el("tr", {}, row.map((text) => el("td", {}, text))));
    return el("details", { class: "whole" }, el("summary", {}, one.title),
      one.answer ? el("p", {}, el("strong", {}, one.answer)) : null,
      RECMERGE.table(one.title, head, rows, "card"), el("p", { class: "muted" }, one.note));
  }

  /** The sections for a view. */
  function below(view) {
    return [
      el("div", { class: "whole" }, missing(view.table)),
      ...(view.table.cards.length
        ? [el("div", { class: "whole" }, el("h2", {}, "Cards"), view.table.cards.map(card))] : []),
      el("div", {}, el("h2", {}, "Protocol card"),
        el("dl", { class: "facts" }, view.table.card.map(([name, text]) =>
          el("div", {}, el("dt", {}, name), el("dd", {}, text))))),
      el("div", {}, el("h2", {}, "Reproduce"),
        el("pre", { tabindex: 0 }, el("code", {}, `${view.suite.command}\n`
          + "recmerge-bench leaderboard build --out runs --to leaderboards\n"
          + "recmerge-bench leaderboard site --records leaderboards/records --to leaderboards/site")),
        el("p", { class: "muted" }, "Metrics are derived from stored ranks; "
          + "recmerge-bench leaderboard check makes every number and file again.")),
    ];
  }

  RECMERGE.below = below;
})();
