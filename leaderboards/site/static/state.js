"use strict";
// The choices, kept in the address after #, so that a view can be linked.
(() => {
  const KEYS = ["suite", "track", "protocol", "metric", "domain", "backbone", "q", "view", "sort",
    "hide", "show", "whole", "figure", "cost", "pick", "undone", "lines", "more"];
  const state = {};
  let chosen = false;

  function read() {
    const found = new URLSearchParams(location.hash.slice(1));
    for (const key of KEYS) state[key] = found.get(key) || "";
  }

  function write() {
    const parts = KEYS.filter((key) => state[key])
      .map((key) => `${key}=${encodeURIComponent(state[key])}`);
    const hash = `#${parts.join("&")}`;
    if (hash !== location.hash) history[chosen ? "pushState" : "replaceState"](null, "", hash);
    chosen = false;
  }

  /** Somebody chose something: the next `write` is a step that the browser's Back undoes. */
  const choice = () => { chosen = true; };

  /** The choice if it is one of those there are, else the first. */
  function among(key, values) {
    if (!values.includes(state[key])) state[key] = values[0] ?? "";
    return state[key];
  }

  const hidden = () => new Set(state.hide.split(",").filter(Boolean));

  Object.assign(RECMERGE, { state, read, write, among, hidden, choice });
})();
