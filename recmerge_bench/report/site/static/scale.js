"use strict";
// From values to places on an axis, with round ticks.
(() => {
  function step(span, count) {
    const rough = span / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 2.5, 5, 10].map((n) => n * power).find((s) => s >= rough * 0.8);
  }

  /** Linear: `at(value)` lies in [0, 1] for values of the axis. */
  function linear(low, high, count = 5) {
    if (!(high > low)) {
      const half = Math.abs(low) / 10 || 1;
      [low, high] = [low - half, high + half];
    }
    const by = step(high - low, count);
    const ticks = [];
    for (let n = Math.ceil(low / by - 1e-9); n * by <= high + by * 1e-9; n += 1) {
      ticks.push(Number((n * by).toPrecision(12)));
    }
    return { low, high, ticks, at: (v) => (v - low) / (high - low) };
  }

  /** Logarithmic: both ends above 0. */
  function log(low, high) {
    if (!(high > low)) [low, high] = [low / 2, high * 2];
    const [a, b] = [Math.log10(low), Math.log10(high)];
    const ticks = [];
    const parts = b - a > 3 ? [1] : b - a > 1.2 ? [1, 3] : [1, 2, 5];
    for (let n = Math.floor(a); n <= b; n += 1) {
      for (const part of parts) {
        const tick = part * 10 ** n;
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(6)));
      }
    }
    return { low, high, ticks, at: (v) => (Math.log10(v) - a) / (b - a) };
  }

  /** Linear up to `edge`, logarithmic above it: for steps that start at 0. */
  function symlog(high, edge) {
    const place = (v) => (v <= edge ? v / edge : 1 + Math.log10(v / edge));
    const ticks = [0];
    for (let tick = edge; tick <= high * 1.001; tick *= 10) ticks.push(Number(tick.toPrecision(6)));
    return { low: 0, high, ticks, at: (v) => place(v) / place(high) };
  }

  Object.assign(RECMERGE, { linear, log, symlog });
})();
