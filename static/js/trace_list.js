// The trace list: a click anywhere on a row opens its trace; choosing a preset range sends the filter.
(function () {
  "use strict";

  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row-link]");
    if (!row || event.target.closest("a, button") || String(window.getSelection())) return;
    const link = row.querySelector("a");
    if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  });

  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-submit-unless]");
    if (!field || field.value === field.dataset.submitUnless) return;
    // A preset replaces the two times.
    for (const name of ["start", "end"]) field.form.elements[name].value = "";
    field.form.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const range = event.target.elements.range;
    if (!range || range.value === "custom") return;
    for (const name of ["start", "end"]) event.target.elements[name].disabled = true;
  }, true);
})();
