"use strict";
(() => {
  const MINUS = "\u2212";
  const tidy = (text) => text.replace("-", MINUS);
  const none = (value) => value === null || value === undefined;

  /** Four decimals, as on the Markdown boards. */
  const fixed = (value) => (none(value) ? "–" : tidy(value.toFixed(4)));
  /** With its sign; what rounds to nothing has none. */
  const signed = (value) => {
    if (none(value)) return "–";
    const text = fixed(value);
    return Number(value.toFixed(4)) === 0 ? fixed(0) : (value > 0 ? "+" : "") + text;
  };
  const percent = (value) => (none(value) ? "–" : `${tidy((100 * value).toFixed(1))} %`);
  const between = (ends, form = fixed) => (none(ends) ? "–" : `[${ends.map(form).join(", ")}]`);
  const chance = (p) => (none(p) ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

  /** Three significant digits, thousands apart. */
  function plain(value) {
    if (none(value)) return "–";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1000) return tidy(Math.round(value).toLocaleString("en"));
    return tidy(String(Number(value.toPrecision(3))));
  }

  const nameOf = (row) => (row.backbone === "–" ? row.label : `${row.label}, ${row.backbone}`);

  Object.assign(RECMERGE, { none, fixed, signed, percent, between, chance, plain, nameOf });
})();
