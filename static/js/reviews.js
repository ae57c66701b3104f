// Keys of the review queue: <… data-key="r"> is clicked, or, if it is a field, entered; a form is sent once.
(function () {
  "use strict";

  let isSent = false;

  // With a Korean layout the key r gives ㄱ: then the place of the key counts.
  function wanted(event) {
    for (const key of [event.key, event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : ""]) {
      const found = key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (found) return found;
    }
    return null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const target = event.repeat || isSent ? null : wanted(event);
    if (!target) return;
    event.preventDefault();
    if (target.matches("textarea")) target.focus();
    else if (target.matches("details")) target.open = !target.open;
    else target.click();
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-once]")) return;
    if (isSent) event.preventDefault();
    isSent = true;
  });

  // Back from the next page, the browser shows this one as it was left.
  window.addEventListener("pageshow", () => {
    isSent = false;
  });
})();
