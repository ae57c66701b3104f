// The form of a schedule: only the fields of the chosen rhythm, and the report beside it as it would be sent.
(function () {
  "use strict";

  const form = document.getElementById("schedule-form");
  const preview = document.getElementById("preview");
  if (!form || !preview) return;
  let timer = 0;
  let asked = null;

  function showRhythm() {
    const chosen = form.elements.frequency.value;
    for (const part of form.querySelectorAll("[data-only]")) part.hidden = part.dataset.only !== chosen;
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
    } catch (error) {
      if (error.name !== "AbortError") preview.textContent = preview.dataset.failed;
    }
  }

  form.addEventListener("input", () => {
    showRhythm();
    clearTimeout(timer);
    timer = setTimeout(show, 600);
  });
  form.querySelector("[data-preview-button]").addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  showRhythm();
  show();
})();
