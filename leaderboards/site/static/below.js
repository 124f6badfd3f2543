"use strict";
// What stands below every view: missing results, the protocol card, the command.
(() => {
  const { el } = RECMERGE;
  /** So many missing rows are shown at once; more are folded. */
  const FEW = 8;

  function missing(table) {
    const rows = table.rows.flatMap((row) => row.gaps.map((gap) => el("tr", {}, RECMERGE.rowHead(row),
      el("td", { class: "muted" }, row.backbone), el("td", {}, gap.status),
      el("td", {}, gap.seeds.join(", ") || "–"), el("td", { class: "wrap" }, gap.reason || "–"),
      el("td", { class: "wrap" }, gap.mend || "–"))));
    if (!rows.length) return [el("h2", {}, "Missing results"), el("p", {}, "None: every row of this table is done.")];
    const titles = ["method", "backbone", "status", "seeds", "reason", "how to fix it"];
    const count = `${rows.length} ${rows.length === 1 ? "row" : "rows"} with missing seeds`;
    return [el("h2", {}, "Missing results"), el("details", { open: rows.length <= FEW }, el("summary", {}, count),
      RECMERGE.table(count, el("tr", {}, titles.map((t) => el("th", { scope: "col" }, t))), rows, "missing"))];
  }

  /** A card: a table of texts with what it says. */
  function card(one) {
    const head = el("tr", {}, one.headers.map((t) => el("th", { scope: "col" }, t)));
    const rows = one.rows.map((row) => el("tr", {}, row.map((text) => el("td", {}, text))));
    return el("details", { class: "whole" }, el("summary", {}, one.title),
      one.answer ? el("p", {}, el("strong", {}, one.answer)) : null,
      RECMERGE.table(one.title, head, rows, "card"), el("p", { class: "muted" }, one.note));
  }

  /** What differs from the paper's setting: a line that says so, and a list. */
  function differs(text) {
    const [first, ...rest] = text.split("\n");
    return first ? el("details", {}, el("summary", {}, first), el("ul", {}, rest.map((one) => el("li", {}, one)))) : null;
  }

  /** A paper's numbers beside ours: open, and marked as the paper's. */
  function paper(one) {
    if (!one) return null;
    const theirs = one.headers.indexOf("paper");
    const mark = (n) => (n === theirs ? "theirs" : null);
    return el("div", { class: "whole" }, el("h2", {}, one.title),
      differs(one.answer),
      RECMERGE.table("Ours are this table's means over seeds; the shaded column is printed in the paper.",
        el("tr", {}, one.headers.map((t, n) => el("th", { scope: "col", class: mark(n) }, t))),
        one.rows.map((row) => el("tr", {}, row.map((text, n) => el("td", { class: mark(n) }, text)))), "paper"),
      el("p", { class: "muted wide-text" }, one.note));
  }

  /** The sections for a view. */
  function below(view) {
    return [
      paper(view.table.paper),
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
    ].filter(Boolean);
  }

  RECMERGE.below = below;
})();
