"use strict";
// Where names stand beside what they name, so that none covers another and none leaves its frame.
(() => {
  /** Width of a text as drawn, pixels; an upper bound without a canvas. */
  const pen = document.createElement("canvas").getContext("2d");
  function width(text, size = 11.5) {
    if (!pen) return text.length * size * 0.62;
    pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
    return pen.measureText(text).width * 1.03 + 1;
  }

  /** Places along a line, moved as little as keeps them `least` apart, from `low` to `high`. */
  function apart(places, least, low, high) {
    const order = places.map((_, n) => n).sort((a, b) => places[a] - places[b] || a - b);
    const moved = [...places];
    let edge = low - least;
    for (const n of order) edge = moved[n] = Math.max(places[n], edge + least);
    edge = high + least;
    for (const n of [...order].reverse()) edge = moved[n] = Math.min(moved[n], edge - least);
    return moved;
  }

  const covers = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

  /** For each point with a text a place beside it that is free, or null where there is none. */
  function beside(points, frame, marks) {
    const taken = [...marks];
    return points.map(({ x, y, text }) => {
      const wide = width(text);
      for (const [dx, dy] of [[8, 4], [-8, 4], [8, -7], [-8, -7], [8, 16], [-8, 16], [8, -19], [-8, -19], [8, 28], [-8, 28]]) {
        const left = dx > 0 ? x + dx : x + dx - wide;
        const box = { left, right: left + wide, top: y + dy - 10, bottom: y + dy + 3 };
        const inside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
        if (inside && !taken.some((other) => covers(box, other))) {
          taken.push(box);
          return { x: x + dx, y: y + dy, anchor: dx > 0 ? "start" : "end" };
        }
      }
      return null;
    });
  }

  /** A text cut in the middle to a width. */
  function fitted(text, most, size) {
    if (width(text, size) <= most) return text;
    for (let keep = text.length - 1; keep > 4; keep -= 1) {
      const half = Math.ceil(keep / 2);
      const short = `${text.slice(0, half)}…${text.slice(text.length - (keep - half))}`;
      if (width(short, size) <= most) return short;
    }
    return text.slice(0, 4);
  }

  Object.assign(RECMERGE, { textWidth: width, apart, placed: beside, fitted });
})();
