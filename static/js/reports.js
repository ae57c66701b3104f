// Forms with a preview beside them: only the fields that fit what was chosen, and what would come of the form.
(function () {
  "use strict";

  const form = document.querySelector("form[data-preview]");
  const preview = document.getElementById("preview");
  if (!form || !preview) return;
  let timer = 0;
  let asked = null;

  function showFitting() {
    const chosen = form.elements[form.dataset.decides].value;
    for (const part of form.querySelectorAll("[data-only]")) part.hidden = !part.dataset.only.split(" ").includes(chosen);
  }

  async function show() {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Fragment": "1" },
        signal: asked.signal,
      });
      if (!answer.ok) throw new Error(answer.statusText);
      preview.innerHTML = await answer.text();
      preview.dispatchEvent(new Event("charts:inserted", { bubbles: true }));
    } catch (error) {
      if (error.name !== "AbortError") preview.textContent = preview.dataset.failed;
    }
  }

  form.addEventListener("input", () => {
    showFitting();
    clearTimeout(timer);
    timer = setTimeout(show, 600);
  });
  form.querySelector("[data-preview-button]").addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  showFitting();
  show();
})();
