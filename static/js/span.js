// The span page and panel: search in the attributes.
(function () {
  "use strict";

  document.addEventListener("input", (event) => {
    const field = event.target.closest("[data-filter-rows]");
    if (!field) return;
    const wanted = field.value.trim().toLowerCase();
    for (const row of document.querySelector(field.dataset.filterRows).children) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    }
  });
})();
