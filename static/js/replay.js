// The replay page: plays the list of moments as it happened. Without script the list is all there is, and it is whole.
const player = document.querySelector("[data-replay]");
const moments = [...document.querySelectorAll(".replay-moment")];
const marks = [...player.querySelectorAll("[data-mark]")];
const find = (name) => player.querySelector(`[data-${name}]`);
const clock = find("clock");
const scrubber = find("scrubber");
const speed = find("speed");
const shorten = find("shorten");
const length = Number(player.dataset.length);
const starts = moments.map((moment) => Number(moment.dataset.at));
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const LONGEST_WAIT = 1000; // milliseconds that a stretch without a beginning or an end lasts when waiting is shortened
const MARKS = 997; // the width of their drawing, besides that of a mark
const SCRUBBER = Number(scrubber.max);

let now = Number(player.dataset.at); // milliseconds of true time
let frame = null;
let before = null;
let current = -1;
let cuts = [];

// Played time ------------------------------------------------------------------------------------------------------

// Points of true time and when they are played, in the order of both.
function measure() {
  const ends = moments.map((moment) => Number(moment.dataset.end));
  const points = [...new Set([0, ...starts, ...ends, length])].sort((a, b) => a - b);
  let played = 0;
  cuts = points.map((point, place) => {
    const waited = place ? point - points[place - 1] : 0;
    played += shorten.checked ? Math.min(waited, LONGEST_WAIT) : waited;
    return { point, played };
  });
  for (const mark of marks) mark.setAttribute("x", String((MARKS * playedAt(Number(mark.dataset.mark))) / whole()));
}

const whole = () => cuts[cuts.length - 1].played || 1;

function between(value, from, to) {
  let high = cuts.findIndex((cut) => cut[from] >= value);
  if (high < 0) high = cuts.length - 1;
  const low = Math.max(high - 1, 0);
  const width = cuts[high][from] - cuts[low][from];
  const part = width ? (value - cuts[low][from]) / width : 1;
  return cuts[low][to] + part * (cuts[high][to] - cuts[low][to]);
}

const playedAt = (moment) => between(moment, "point", "played");
const momentAt = (played) => between(played, "played", "point");

// What is shown ----------------------------------------------------------------------------------------------------

function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function placeOf(moment) {
  let place = 0;
  while (place + 1 < starts.length && starts[place + 1] <= moment) place += 1;
  return place;
}

function show({ scrolls = true } = {}) {
  clock.value = duration(now);
  const place = String(Math.round((SCRUBBER * playedAt(now)) / whole()));
  if (scrubber.value !== place) scrubber.value = place;
  scrubber.setAttribute("aria-valuetext", duration(now));
  const next = placeOf(now);
  if (next === current) return;
  current = next;
  moments.forEach((moment, number) => {
    moment.classList.toggle("current", number === current);
    moment.classList.toggle("coming", number > current);
    if (number === current) moment.setAttribute("aria-current", "step");
    else moment.removeAttribute("aria-current");
  });
  if (scrolls) moments[current].scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
}

// The address names the moment, so that it can be sent to somebody.
function remember() {
  const url = new URL(window.location.href);
  url.searchParams.set("at", String(Math.round(now * 1000) / 1000));
  window.history.replaceState(null, "", url);
}

// Playing ----------------------------------------------------------------------------------------------------------

function step(time) {
  const passed = before === null ? 0 : time - before;
  before = time;
  now = momentAt(Math.min(playedAt(now) + passed * Number(speed.value), whole()));
  show();
  if (playedAt(now) >= whole()) pause();
  else frame = window.requestAnimationFrame(step);
}

function play() {
  if (playedAt(now) >= whole()) now = 0;
  before = null;
  frame = window.requestAnimationFrame(step);
  find("play").setAttribute("aria-pressed", "true");
}

function pause() {
  window.cancelAnimationFrame(frame);
  frame = null;
  find("play").setAttribute("aria-pressed", "false");
  remember();
}

const toggle = () => (frame === null ? play() : pause());

function goTo(moment, options) {
  now = Math.min(Math.max(moment, 0), length);
  show(options);
  if (frame === null) remember();
}

function change(places) {
  speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + places, 0), speed.options.length - 1);
}

// Several moments may begin together: to the next later one, to the last earlier one.
function goForward() {
  const next = starts.findIndex((start) => start > now);
  if (next >= 0) goTo(starts[next]);
}

function goBack() {
  const earlier = starts.filter((start) => start < now);
  goTo(earlier.length ? earlier[earlier.length - 1] : 0);
}

const KEYS = {
  " ": toggle,
  ArrowLeft: goBack,
  ArrowRight: goForward,
  Home: () => goTo(0),
  End: () => goTo(starts[starts.length - 1]),
  "+": () => change(1),
  "=": () => change(1),
  "-": () => change(-1),
};

find("play").addEventListener("click", toggle);
find("previous").addEventListener("click", goBack);
find("next").addEventListener("click", goForward);
scrubber.addEventListener("input", () => goTo(momentAt((Number(scrubber.value) * whole()) / SCRUBBER)));
shorten.addEventListener("change", () => {
  measure();
  show({ scrolls: false });
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog")) return;
  if (event.key === " " && event.target.closest("button, a, summary, label, input")) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.querySelector(".replay-moments").addEventListener("click", (event) => {
  const link = event.target.closest(".replay-at");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(Number(link.closest(".replay-moment").dataset.at), { scrolls: false });
});

player.classList.remove("d-none");
measure();
show({ scrolls: new URL(window.location.href).searchParams.has("at") });
