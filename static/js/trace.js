// The trace page: opens spans beside the waterfall, collapses subtrees, moves by keyboard as the ARIA tree pattern
// says (https://www.w3.org/WAI/ARIA/apg/patterns/treeview/). Without script each row is a link to the span's page.
(function () {
  "use strict";

  const tree = document.querySelector(".waterfall");
  const panel = document.getElementById("span-panel");
  const body = panel.querySelector(".span-panel-body");
  const rows = Array.from(tree.querySelectorAll(".wf"));
  const levels = rows.map((row) => Number(row.getAttribute("aria-level")));
  const index = new Map(rows.map((row, position) => [row, position]));
  const wide = window.matchMedia("(min-width: 1200px)");
  let current = null;
  let request = null;

  for (const tools of document.querySelectorAll("[data-needs-script]")) tools.classList.remove("d-none");

  function fitHeight() {
    const layout = document.querySelector(".trace-layout");
    layout.style.setProperty("--layout-top", `${layout.getBoundingClientRect().top + window.scrollY}px`);
  }

  fitHeight();
  window.addEventListener("resize", fitHeight);

  // Collapse and expand -----------------------------------------------------------------------------------------

  // The rows below `position` that belong to it.
  function subtreeEnd(position) {
    let end = position + 1;
    while (end < rows.length && levels[end] > levels[position]) end += 1;
    return end;
  }

  // Shows and hides rows by the collapsed state of their ancestors, in one pass.
  function redraw() {
    let hiddenBelow = Infinity;
    rows.forEach((row, position) => {
      if (levels[position] <= hiddenBelow) hiddenBelow = Infinity;
      row.classList.toggle("wf-hidden", hiddenBelow !== Infinity);
      if (hiddenBelow === Infinity && row.getAttribute("aria-expanded") === "false") hiddenBelow = levels[position];
    });
  }

  function expand(row, open) {
    if (!row.hasAttribute("aria-expanded")) return;
    row.setAttribute("aria-expanded", String(open));
    redraw();
    const position = index.get(row);
    if (!open && current && index.get(current) > position && index.get(current) < subtreeEnd(position)) focus(row);
  }

  function expandAll(open) {
    for (const row of rows) if (row.hasAttribute("aria-expanded")) row.setAttribute("aria-expanded", String(open));
    redraw();
    if (current && !isShown(current)) focus(rows[0]);
  }

  function isShown(row) {
    return row.offsetParent !== null;
  }

  // Choose a span -------------------------------------------------------------------------------------------------

  function focus(row, visibly = true) {
    if (current) current.tabIndex = -1;
    current = row;
    row.tabIndex = 0;
    if (visibly) row.focus();
  }

  function select(row) {
    for (const other of tree.querySelectorAll("[aria-selected]")) other.removeAttribute("aria-selected");
    row.setAttribute("aria-selected", "true");
    const url = new URL(window.location.href);
    url.searchParams.set("span", row.dataset.span);
    window.history.replaceState(null, "", url);
    show(row.querySelector("a").href);
  }

  async function show(url) {
    if (request) request.abort();
    request = new AbortController();
    panel.classList.add("loading");
    try {
      const response = await fetch(url, { headers: { "X-Fragment": "1" }, signal: request.signal });
      if (response.redirected) {
        window.location.reload(); // signed out meanwhile
        return;
      }
      const isFragment = response.ok || response.status === 503;
      if (isFragment) body.innerHTML = await response.text();
      else body.textContent = panel.dataset.failed;
      body.scrollTop = 0;
    } catch (error) {
      if (error.name === "AbortError") return;
      body.textContent = panel.dataset.failed;
    }
    panel.classList.remove("loading");
  }

  function open(row) {
    focus(row);
    select(row);
    panel.classList.add("open");
  }

  function close() {
    panel.classList.remove("open");
    if (current) current.focus();
  }

  function bySpan(spanId) {
    return rows.find((row) => row.dataset.span === spanId);
  }

  function reveal(row) {
    let level = levels[index.get(row)];
    for (let position = index.get(row) - 1; position >= 0 && level > 1; position -= 1) {
      if (levels[position] >= level) continue;
      level = levels[position];
      if (rows[position].hasAttribute("aria-expanded")) rows[position].setAttribute("aria-expanded", "true");
    }
    redraw();
  }

  // Events ---------------------------------------------------------------------------------------------------------

  tree.addEventListener("click", (event) => {
    const row = event.target.closest(".wf");
    if (!row) return;
    if (event.target.closest(".wf-toggle")) {
      event.preventDefault();
      expand(row, row.getAttribute("aria-expanded") === "false");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the link, in another tab
    event.preventDefault();
    open(row);
  });

  function step(direction) {
    let position = index.get(current) + direction;
    while (position >= 0 && position < rows.length && !isShown(rows[position])) position += direction;
    if (rows[position]) focus(rows[position]);
  }

  function parentOf(row) {
    let position = index.get(row);
    const level = levels[position];
    while (position >= 0 && levels[position] >= level) position -= 1;
    return rows[position];
  }

  const KEYS = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    ArrowRight: () => (current.getAttribute("aria-expanded") === "false" ? expand(current, true) : step(1)),
    ArrowLeft: () => {
      if (current.getAttribute("aria-expanded") === "true") expand(current, false);
      else if (parentOf(current)) focus(parentOf(current));
    },
    Home: () => focus(rows[0]),
    End: () => {
      focus(rows[rows.length - 1]);
      if (!isShown(current)) step(-1);
    },
    Enter: () => open(current),
    " ": () => open(current),
  };

  tree.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key] || !current) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  panel.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open-span]");
    const row = link && bySpan(link.dataset.openSpan);
    if (row) {
      event.preventDefault();
      reveal(row);
      open(row);
    } else if (event.target.closest("[data-close-span]")) {
      close();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.classList.contains("open")) close();
  });

  document.querySelector("[data-expand-all]").addEventListener("click", () => expandAll(true));
  document.querySelector("[data-collapse-all]").addEventListener("click", () => expandAll(false));
  document.querySelector("[data-key-spans]").addEventListener("change", (event) => {
    tree.classList.toggle("key-spans-only", event.target.checked);
  });

  const first = bySpan(panel.dataset.selected) || rows[0];
  if (first) {
    focus(first, false);
    // On a narrow screen the panel would hide the page: it opens when a span is asked for.
    const asked = new URL(window.location.href).searchParams.has("span");
    if (wide.matches) {
      select(first);
      // Within the tree only: the page itself stays at its top.
      const below = first.getBoundingClientRect().bottom - tree.getBoundingClientRect().bottom;
      if (below > 0) tree.scrollTop += below + tree.clientHeight / 2;
    } else if (asked) open(first);
  }
})();
