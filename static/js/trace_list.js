// The trace list: choosing a preset range sends the filter.
(function () {
  "use strict";

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
