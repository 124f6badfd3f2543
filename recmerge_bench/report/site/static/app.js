"use strict";
// Choices → one table → one view of it.
(() => {
  const { el, state, views } = RECMERGE;
  const get = (id) => document.getElementById(id);
  let suite = null;
  /** Phones: what stands before the table is folded, so that the table is on the first screen. */
  const phone = matchMedia("(max-width: 720px)");

  function options(id, pairs) {
    const select = get(id);
    select.replaceChildren(...pairs.map(([value, text]) => el("option", { value }, text)));
    select.value = state[id];
    select.disabled = pairs.length < 2;
  }

  function facts(found) {
    const done = found.done === found.total ? "" : `${found.done.toLocaleString("en")} of ${found.total.toLocaleString("en")} results done. `;
    return `${done}Seeds: ${found.seeds.length}. Data: ${found.datasets.join(", ")}.`
      + (found.date ? ` Newest result: ${found.date}.` : "");
  }

  function tabs() {
    RECMERGE.among("view", Object.keys(views));
    get("views").replaceChildren(...Object.entries(views).map(([key, view]) => el("button", {
      type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "panel", "data-key": `tab ${key}`,
      "aria-selected": String(state.view === key), tabindex: state.view === key ? 0 : -1,
      onclick: () => { state.view = key; redraw(); } }, view.name)));
    get("panel").setAttribute("aria-labelledby", `tab-${state.view}`);
  }

  function turn(event) {
    const keys = Object.keys(views);
    const at = keys.indexOf(state.view);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + keys.length, Home: 0, End: keys.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    state.view = keys[to % keys.length];
    redraw();
    get(`tab-${state.view}`).focus();
  }

  /** That a board is superseded stays in sight on phones too. */
  function foldMore() {
    get("more").open = !phone.matches || Boolean(suite?.superseded);
  }

  function fold() {
    get("choices").open = !phone.matches;
    foldMore();
  }

  function choose() {
    const tracks = [...new Set(suite.tables.map((t) => t.track))];
    const track = RECMERGE.among("track", tracks);
    const protocols = suite.tables.filter((t) => t.track === track).map((t) => t.protocol);
    const protocol = RECMERGE.among("protocol", protocols);
    const table = suite.tables.find((t) => t.track === track && t.protocol === protocol);
    const metric = RECMERGE.among("metric", [...new Set([...table.compared.map((c) => c.metric), ...suite.metrics])]);
    const domain = RECMERGE.among("domain", ["", ...table.domains]);
    const backbones = [...new Set(table.rows.map((row) => row.backbone))];
    const backbone = RECMERGE.among("backbone", ["", ...backbones]);
    const same = (values) => values.map((v) => [v, v]);
    options("track", same(tracks));
    options("protocol", same(protocols));
    options("metric", same(suite.metrics));
    options("domain", [["", "mean and each"], ...same(table.domains)]);
    options("backbone", [["", "all"], ...backbones.map((b) => [b, b === "–" ? "none" : b])]);
    get("backbone").closest("label").hidden = backbones.filter((b) => b !== "–").length < 2;
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const hidden = RECMERGE.hidden();
    const kept = table.rows.filter((row) => {
      const text = [row.label, row.backbone, row.recipe, RECMERGE.said(row) || ""].join(" ").toLowerCase();
      return (backbone === "" || row.backbone === backbone) && words.every((w) => text.includes(w));
    });
    const rows = kept.filter((row) => !hidden.has(row.id));
    return { suite, table, metric, domain, rows, hidden: kept.length - rows.length };
  }

  /** Draw what somebody chose: a step that the browser's Back undoes. */
  function redraw() {
    RECMERGE.choice();
    draw();
  }

  /** Draw everything anew; the focus stays where it was. */
  function draw() {
    const focused = document.activeElement?.dataset?.key;
    const view = choose();
    tabs();
    get("title").textContent = suite.title;
    get("asks").textContent = suite.question;
    get("answer").replaceChildren(el("strong", {}, suite.answer), ` ${suite.detail}`);
    get("about").textContent = `${suite.about} ${facts(suite)}`;
    if (suite.superseded) {
      const link = el("a", { href: `#suite=${encodeURIComponent(suite.superseded)}` },
        `To ${suite.superseded}`);
      get("about").append(" ", link);
    }
    get("about").className = suite.label === "smoke" ? "muted smoke" : "muted";
    document.title = `${suite.title} · RecMerge-Bench`;
    get("status").textContent = `${view.rows.length} of ${view.table.rows.length} rows`;
    get("unhide").hidden = view.hidden === 0;
    get("unhide").textContent = `Show ${view.hidden} hidden`;
    get("take").replaceChildren(...RECMERGE.take_away(view));
    get("panel").replaceChildren(...views[state.view].draw(view, redraw).flat().filter(Boolean));
    get("below").replaceChildren(...RECMERGE.below(view));
    RECMERGE.write();
    if (!focused) return;
    const again = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused);
    (again || get("panel")).focus({ preventScroll: true });
  }

  async function show() {
    const select = get("suite");
    RECMERGE.among("suite", [...select.options].map((o) => o.value));
    select.value = state.suite;
    const asked = state.suite;
    try {
      const found = await RECMERGE.load(asked, select.selectedOptions[0].dataset.file);
      if (asked !== state.suite) return;
      if (suite !== found) {
        suite = found;
        foldMore();
      }
    } catch (error) {
      get("status").textContent = error.message;
      return;
    }
    get("q").value = state.q;
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => {
    RECMERGE.read();
    get("controls").addEventListener("submit", (event) => event.preventDefault());
    get("suite").addEventListener("change", (event) => {
      Object.assign(state, { hide: "", sort: "", figure: "", track: "", protocol: "", metric: "",
        domain: "", backbone: "", q: "", pick: "", lines: "", undone: "", suite: event.target.value });
      RECMERGE.choice();
      show();
    });
    for (const id of ["track", "protocol", "metric", "domain", "backbone"]) {
      get(id).addEventListener("change", (event) => { state[id] = event.target.value; redraw(); });
    }
    get("q").addEventListener("input", (event) => { state.q = event.target.value; draw(); });
    get("unhide").addEventListener("click", () => { state.hide = ""; redraw(); get("panel").focus(); });
    get("views").addEventListener("keydown", turn);
    phone.addEventListener("change", fold);
    addEventListener("hashchange", () => { RECMERGE.read(); show(); });
    fold();
    show();
  });
})();
