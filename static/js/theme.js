// Sets the theme before the first paint, so this file is loaded in <head> without defer; and tells the server the
// browser's time zone, for accounts that have not chosen one.
// "light", "dark" or "auto" (the system's) is kept in localStorage; without storage the system's is used.
(function () {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem("portal-theme") || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    const choice = stored();
    root.dataset.bsTheme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
    root.dataset.themeChoice = choice;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      const on = button.dataset.setTheme === choice;
      button.classList.toggle("active", on);
      button.setAttribute("aria-pressed", String(on));
    }
  }

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = "timezone=" + encodeURIComponent(zone) + "; path=/; max-age=31536000; samesite=lax";

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    try {
      localStorage.setItem("portal-theme", button.dataset.setTheme);
    } catch {
      // A browser that keeps nothing follows the system.
    }
    apply();
  });
})();
