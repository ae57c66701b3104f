// Small behaviours that every page may use, switched on by data attributes.
(function () {
  "use strict";

  // <button data-copy="text"> or <button data-copy-from="#id">: copies, then says so for two seconds.
  async function copy(button) {
    const source = button.dataset.copyFrom;
    const text = source ? document.querySelector(source).textContent : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain http on another host has no clipboard API.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 2000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (button) copy(button);
  });

  // <select data-submit-on-change>: sends its form at once; the form keeps its button for readers without script.
  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-submit-on-change]");
    if (field) field.form.requestSubmit();
  });

  // <form data-skip-empty>: leaves empty fields out of the address.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-skip-empty]")) return;
    for (const field of event.target.elements) {
      if (field.name && !field.value) field.disabled = true;
    }
    // Back from the next page, the browser shows this one as it was left.
    setTimeout(() => {
      for (const field of event.target.elements) field.disabled = false;
    }, 0);
  });

  // <dialog>-less confirmation: <form data-confirm="Really?">.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // <tr data-row-link>: a click anywhere on the row follows its first link.
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row-link]");
    if (!row || event.target.closest("a, button") || String(window.getSelection())) return;
    const link = row.querySelector("a");
    if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  });

  // <details data-popover>: closes when something else is clicked, or with Escape.
  function closePopovers(except) {
    for (const open of document.querySelectorAll("details[data-popover][open]")) {
      if (open !== except) open.open = false;
    }
  }

  document.addEventListener("click", (event) => closePopovers(event.target.closest("details[data-popover]")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePopovers(null);
  });
})();
