"use strict";
// Before the page is drawn: the chosen theme, if one was chosen on this machine.
(() => {
  const ORDER = ["auto", "light", "dark"];
  let theme = "auto";
  try {
    theme = localStorage.getItem("recmerge-theme") || "auto";
  } catch { /* storage is off: the choice lasts for this page */ }
  if (!ORDER.includes(theme)) theme = "auto";

  function apply(button) {
    document.documentElement.dataset.theme = theme;
    if (!button) return;
    button.textContent = `Theme: ${theme}`;
    button.hidden = false;
  }
  apply(null);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    apply(button);
    button.addEventListener("click", () => {
      theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
      try {
        localStorage.setItem("recmerge-theme", theme);
      } catch { /* as above */ }
      apply(button);
    });
  });
})();
