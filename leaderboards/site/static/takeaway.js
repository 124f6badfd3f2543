"use strict";
// What can be taken along from a table: CSV, Parquet, JSON, BibTeX, and a link to the view.
(() => {
  const { el, state } = RECMERGE;

  function save(name, type, text) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /** A field of a CSV: quoted where needed; what a spreadsheet would compute gets an apostrophe. */
  function field(value) {
    if (RECMERGE.none(value)) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return `"${text.replaceAll('"', '""')}"`;
  }

  const TITLES = ["suite", "track", "protocol", "band", "method", "backbone", "recipe", "metric", "domain",
    "mean", "lower", "upper", "seeds", "share of expert", "difference", "verdict"];

  /** The table in long form: a line for each row, metric and domain, to the digits that the site holds. */
  function long(view) {
    return view.rows.flatMap((row) => view.suite.metrics.flatMap((metric) =>
      Object.entries(row.values[metric] || {}).filter(([, value]) => value).map(([domain, value]) => {
        const own = domain === "mean" && view.table.compared.some((c) => c.metric === metric);
        const share = row.shares[metric]?.[domain === "mean" ? "mean of ratios" : domain];
        return [view.suite.suite, view.table.track, view.table.protocol, row.band, row.label, row.backbone,
          row.recipe, metric, domain, value[0], value[1]?.[0], value[1]?.[1], value[2].length, share,
          own ? row.difference?.mean : null, own ? RECMERGE.said(row) : null];
      })));
  }

  const csv = (view) => [TITLES, ...long(view)].map((line, n) => line.map(n ? field : String).join(",")).join("\n") + "\n";

  function json(view) {
    const { suite, title, date, command } = view.suite;
    return JSON.stringify({ suite, title, date, command, track: view.table.track,
      protocol: view.table.protocol, compared: view.table.compared, rows: view.rows }, null, 1) + "\n";
  }

  function bibtex(view) {
    const year = (view.suite.date || "").slice(0, 4);
    const key = view.suite.suite.replace(/[^A-Za-z0-9]/g, "");
    return `@misc{recmergebench-${key},\n  title = {{RecMerge-Bench}, board ${view.suite.suite}: ${view.suite.title.replace(/[{}\\]/g, "")}},\n`
      + `  author = {{The RecMerge-Bench developers}},\n${year ? `  year = {${year}},\n` : ""}`
      + `  note = {Track ${view.table.track}, protocol ${view.table.protocol}}\n}\n`;
  }

  async function copy(button, text) {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const box = el("textarea", { class: "copy", readonly: true, rows: 3, "aria-label": before });
      box.value = text;
      button.after(box);
      box.select();
      return;
    }
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  /** The buttons of a view. */
  function buttons(view) {
    const name = `${view.suite.suite}-${view.table.track}-${view.table.protocol}`.replace(/[^\w.-]/g, "_");
    const button = (key, text, act) => el("button", { type: "button", class: "quiet", "data-key": `take ${key}`,
      onclick: (event) => act(event.currentTarget) }, text);
    return [
      button("csv", "CSV", () => save(`${name}.csv`, "text/csv", csv(view))),
      button("parquet", "Parquet", () => save(`${name}.parquet`, "application/vnd.apache.parquet", RECMERGE.parquet(TITLES, long(view)))),
      button("json", "JSON", () => save(`${name}.json`, "application/json", json(view))),
      button("bib", "BibTeX", (me) => copy(me, bibtex(view))),
      button("link", "Copy link", (me) => copy(me, location.href)),
    ];
  }

  Object.assign(RECMERGE, { take_away: buttons, csv, json, bibtex, state });
})();
