// The page of first steps: asks every three seconds whether a trace has arrived, and then shows the list.
(function () {
  "use strict";
  const url = document.querySelector("[data-arrived-url]").dataset.arrivedUrl;

  async function ask() {
    try {
      const response = await fetch(url, { headers: { Accept: "application/json" } });
      if (response.ok && (await response.json()).arrived) {
        window.location.reload();
        return;
      }
    } catch {
      // The portal restarts: ask again.
    }
    setTimeout(ask, 3000);
  }

  setTimeout(ask, 3000);
})();
