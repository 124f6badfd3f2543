"use strict";
// Means or differences with their intervals, a strip a row; the numbers stand beside.
(() => {
  const { el, svg, state, valueOf } = RECMERGE;
  const HEIGHT = 24;

  /** What a row shows: {mean, ends, dots, margin} in the units of the axis, or null. */
  function value(row, view) {
    const found = valueOf(row, view.metric, view.domain);
    return found && { mean: found[0], ends: found[1], dots: found[2] };
  }

  function difference(row, view) {
    const found = row.difference;
    if (!found) return null;
    const base = view.table.compared[found.family];
    return { mean: found.mean, ends: found.methods, dots: [],
      margin: base.mean === null ? null : Math.abs(base.mean) / 100 };
  }

  /** Whether the columns that few ask for are shown. */
  const more = () => state.more === "1";

  const quantile = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];

  /** The axis: the whole range, or that of rows that do not lie far apart from the others. */
  function axis(shown, whole, zero) {
    const means = shown.map((s) => s.mean).sort((a, b) => a - b);
    const [q1, q3] = [quantile(means, 0.25), quantile(means, 0.75)];
    const reach = whole ? Infinity : Math.max(1.5 * (q3 - q1), 1e-9);
    const near = shown.filter((s) => s.mean >= q1 - reach && s.mean <= q3 + reach);
    const ends = near.flatMap((s) => [s.mean, ...s.dots, ...(s.dots.length === 2 ? [] : s.ends || [])]);
    let [low, high] = [Math.min(...ends), Math.max(...ends)];
    if (zero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
    const pad = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
    return RECMERGE.linear(low - pad, high + pad, 5);
  }

  const at = (scale, v) => `${(100 * Math.min(1, Math.max(0, scale.at(v)))).toFixed(2)}%`;
  const inside = (scale, v) => v >= scale.low && v <= scale.high;

  function grid(scale, zero) {
    return scale.ticks.map((tick) => svg("line", { class: tick === 0 && zero ? "zero" : "grid",
      x1: at(scale, tick), x2: at(scale, tick), y1: 0, y2: HEIGHT }));
  }

  function beyond(scale, v) {
    const left = v < scale.low;
    return svg("text", { class: "arrow", x: left ? "0.5%" : "99.5%", y: 16,
      "text-anchor": left ? "start" : "end" }, left ? "◂" : "▸");
  }

  function strip(shown, scale, zero, kind) {
    const middle = HEIGHT / 2;
    const parts = [grid(scale, zero)];
    if (shown && shown.margin) {
      const [a, b] = [-shown.margin, shown.margin].map((v) => Math.min(1, Math.max(0, scale.at(v))));
      parts.unshift(svg("rect", { class: "margin", x: `${100 * a}%`, width: `${100 * (b - a)}%`,
        y: 0, height: HEIGHT }));
    }
    if (shown) {
      if (shown.ends) {
        parts.push(svg("line", { class: "interval", x1: at(scale, shown.ends[0]),
          x2: at(scale, shown.ends[1]), y1: middle, y2: middle }));
      }
      parts.push(shown.dots.length > 1 ? shown.dots.filter((v) => inside(scale, v))
        .map((v) => svg("circle", { class: "seed", cx: at(scale, v), cy: middle, r: 2 })) : null);
      parts.push(inside(scale, shown.mean)
        ? svg("circle", { class: "mean", cx: at(scale, shown.mean), cy: middle, r: 4.5 })
        : beyond(scale, shown.mean));
    }
    return svg("svg", { class: `strip ${kind}`, height: HEIGHT, "aria-hidden": "true",
      focusable: "false" }, parts);
  }

  /** Texts of an axis, as many as have room where the strips are at least so many pixels wide. */
  function ticks(scale, wide = 240) {
    const texts = scale.ticks.map(RECMERGE.plain);
    const shown = RECMERGE.sparse(texts, scale.ticks.map((tick) => wide * scale.at(tick)), scale.ticks.indexOf(0));
    return svg("svg", { class: "strip axis", height: 20, "aria-hidden": "true" },
      scale.ticks.map((tick, n) => (shown.has(n) ? svg("text", { x: at(scale, tick), y: 14,
        "text-anchor": "middle" }, texts[n]) : null)));
  }

  function modes(view, redraw) {
    const can = view.table.compared.some((c) => c.metric === view.metric) && view.domain === "";
    const mode = can && state.show !== "value" ? "difference" : "value";
    const button = (key, text, pressed, change) => el("button", { type: "button", class: "toggle",
      "data-key": key, "aria-pressed": String(pressed), onclick: () => { change(); redraw(); } }, text);
    const whole = state.whole === "1";
    return { mode, whole, bar: el("div", { class: "modes", role: "group", "aria-label": "What is drawn" },
      can && button("mode difference", "difference from the baseline", mode === "difference",
        () => { state.show = ""; }),
      can && button("mode value", "value", mode === "value", () => { state.show = "value"; }),
      button("mode whole", "whole range", whole, () => { state.whole = whole ? "" : "1"; }),
      mode === "difference" && button("mode more", "more columns", more(), () => { state.more = more() ? "" : "1"; })) };
  }

  const NOTES = {
    value: "Large dot: mean over seeds; small dots: each seed. Line: Student’s 95 % interval of the "
      + "mean over seeds, for these test users; two seeds know little, so it may leave the axis.",
    difference: "Line: the interval behind the verdict about the methods (resampling seeds and users), "
      + "at the level at which Holm’s procedure tests the row: 1 − 5 % / k where it tests at 5 % / k. Band: ±1 % of the "
      + "baseline’s mean. p: two-sided, adjusted by Holm. These models: the same for these trained models, resampling "
      + "users alone. More columns: the 95 % interval of this row alone, without Holm; the two-level bootstrap’s; "
      + "Cohen’s dz and users won, tied and lost.",
  };

  const titles = (mode) => (mode === "value" ? ["mean", "95 % interval"]
    : ["difference", "verdict", "interval", "p", "these models", "their interval",
      ...(more() ? ["methods, alone", "bootstrap", "dz · win/tie/loss"] : [])]);

  function numbers(row, shown, mode) {
    if (!shown) return [el("td", { class: "num muted", colspan: mode === "value" ? 2 : titles(mode).length }, "–")];
    if (mode === "value") {
      return [el("td", { class: "num" }, RECMERGE.fixed(shown.mean)),
        el("td", { class: "num" }, RECMERGE.between(shown.ends))];
    }
    const d = row.difference;
    const ends = (v) => RECMERGE.between(v, RECMERGE.signed);
    return [el("td", { class: "num" }, RECMERGE.signed(d.mean)), el("td", {}, RECMERGE.verdict(row, false)),
      ...[ends(d.methods), RECMERGE.chance(d.p), row.models, ends(d.models), ...(more() ? [ends(d.alone),
        ends(d.bootstrap), `${RECMERGE.none(d.dz) ? "–" : d.dz.toFixed(3)} · ${d.wins.join("/")}`] : [])]
        .map((text) => el("td", { class: "num" }, text))];
  }

  RECMERGE.views.intervals = {
    name: "Intervals",
    draw(view, redraw) {
      const { mode, whole, bar } = modes(view, redraw);
      const of = mode === "value" ? value : difference;
      const rows = view.rows.map((row) => [row, of(row, view)])
        .sort(([, a], [, b]) => (b ? b.mean : -Infinity) - (a ? a.mean : -Infinity) || 0);
      const shown = rows.map(([, s]) => s).filter(Boolean);
      if (!shown.length) return [bar, el("p", {}, "Nothing to draw for this choice.")];
      const zero = mode === "difference";
      const scale = axis(shown, whole, zero);
      const out = shown.filter((s) => !inside(scale, s.mean)).length;
      const head = el("tr", {}, el("th", { scope: "col" }, "method"),
        el("th", { scope: "col", class: "wide" }, el("span", { class: "away" }, "drawn"), ticks(scale)),
        titles(mode).map((t) => el("th", { scope: "col", class: t === "verdict" ? null : "num" }, t)));
      const body = rows.map(([row, s]) => el("tr", { "data-row": row.id },
        RECMERGE.rowHead(row, [], RECMERGE.beside(row, view)),
        el("td", { class: "wide" }, strip(s, scale, zero, zero ? (row.verdict || "").replace(" ", "-") : "")),
        numbers(row, s, mode)));
      const where = view.domain || "mean over the domains";
      return [bar, RECMERGE.table(`${view.metric}, ${where}: ${mode === "value" ? "value"
        : `difference from ${view.table.compared.map((c) => c.label).join(" or ")}`}`, head, body, "strips"),
      el("p", { class: "muted note-line" }, NOTES[mode],
        out ? ` ${out} row(s) lie beyond the axis (arrows); “whole range” shows them.` : "")];
    },
  };

  Object.assign(RECMERGE, { strip, axisTicks: ticks });
})();
