"use strict";
// Data of the suites, and elements made of text nodes alone: nothing in the data is ever markup.
const RECMERGE = (() => {
  const suites = new Map();
  const waiting = new Map();

  /** A data file hands its suite over. */
  function take(name, data) {
    suites.set(name, data);
    const done = waiting.get(name);
    if (done) done(data);
  }

  /** The data of a suite; its file is loaded as a script, which works from disk. */
  function load(name, file) {
    if (suites.has(name)) return Promise.resolve(suites.get(name));
    return new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = file;
      script.onerror = () => reject(new Error(`${file} cannot be read`));
      document.head.append(script);
    });
  }

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    for (const child of children.flat(Infinity)) {
      if (child !== null && child !== undefined && child !== false) {
        node.append(child instanceof Node ? child : String(child));
      }
    }
    return node;
  }

  /** An HTML element: attributes (on…: a listener), then children; strings become text. */
  const el = (tag, attributes, ...children) =>
    fill(document.createElement(tag), attributes, children);

  /** The same for SVG. */
  const svg = (tag, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  /** A table in a box that scrolls by itself. */
  function table(caption, head, body, name) {
    return el("div", { class: name === "board" ? "scroll tall" : "scroll", tabindex: 0, role: "region", "aria-label": caption },
      el("table", { class: name },
        el("caption", {}, el("span", {}, caption)), el("thead", {}, head), el("tbody", {}, body)));
  }

  return { take, load, el, svg, table, views: {}, glossary: {} };
})();
