// The page of one desktop: puts the line, the tools and the notices together.

import { Line } from "./line.js";
import { Clipboard } from "./clipboard.js";
import { Keys } from "./keys.js";
import { Files } from "./files.js";
import { Sound } from "./sound.js";

const $ = (id) => document.getElementById(id);
const { desktop: id } = document.body.dataset;
const may = Object.fromEntries(["paste", "copy", "give", "take"].map((name) => [name, name in document.body.dataset]));
const screen = $("screen"), cover = $("cover"), bar = $("bar"), typing = $("typing"), handle = $("handle");

const line = new Line(id, screen, may);

// Notices

let since = 0, ticking = 0;

line.addEventListener("phase", ({ detail }) => {
  switch (detail.type) {
    case "wait": return notice("wait", detail.title ?? "Connecting", detail.text, []);
    case "connected": return connected();
    case "lost": return notice("lost", "The line is lost", "What you have open stays as it is. Trying again…", detail.tries > 2 ? ["leave"] : []);
    case "over": return notice("over", detail.title, detail.text, [...detail.choices, "leave"]);
    case "told": return detail.warning ? say(detail.warning, 60_000) : viewers(detail.viewers);
  }
});

function notice(phase, title, text, choices) {
  if (document.body.dataset.phase !== phase || cover.hidden) since = performance.now();
  document.body.dataset.phase = phase;
  set($("cover-title"), title);
  set($("cover-text"), text ?? "");
  set($("line"), title);
  set($("heard"), ""); // the cover is heard
  $("spin").hidden = phase === "over";
  let first = null;
  for (const choice of cover.querySelectorAll("[data-choice]")) {
    choice.hidden = !choices.includes(choice.dataset.choice);
    if (!choice.hidden) first ??= choice;
  }
  cover.hidden = false;
  if (phase === "over") {
    $("said").hidden = true; // what was warned of has come
    first?.focus();
  }
  clearInterval(ticking);
  ticking = phase === "over" ? 0 : setInterval(tick, 1000);
  tick();
}

// tick says how long it has taken, once that is long.
function tick() {
  const seconds = Math.round((performance.now() - since) / 1000);
  set($("cover-time"), document.body.dataset.phase !== "over" && seconds >= 3 ? `${seconds} s` : "");
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function connected() {
  clearInterval(ticking);
  document.body.dataset.phase = "connected";
  cover.hidden = true;
  set($("line"), "Connected");
  set($("heard"), "Connected");
  fit();
}

function viewers(n) {
  $("viewers").hidden = !(n > 1);
  $("viewers").lastElementChild.textContent = `Open in ${n} windows`;
}

cover.addEventListener("click", ({ target }) => {
  switch (target.dataset?.choice) {
    case "start": case "again": case "anew": return line.open({ start: true });
    case "take": return line.open({ share: false });
    case "share": return line.open({ share: true });
  }
});

let saying = 0;

function say(text, long = 6000) {
  clearTimeout(saying);
  $("said").textContent = text;
  $("said").hidden = false;
  saying = setTimeout(() => { $("said").hidden = true; }, long);
}

// Panels: one at a time, each beside the tool that opens it.

const panels = [...document.querySelectorAll(".panel")];
const toolOf = (panel) => document.querySelector(`[aria-controls="${panel.id}"]`);

function open(panel) {
  for (const other of panels) {
    const shown = other === panel && other.hidden;
    if (other !== panel && other.hidden) continue;
    other.hidden = !shown;
    toolOf(other).setAttribute("aria-expanded", String(shown));
    if (!shown) continue;
    other.dispatchEvent(new Event("opened"));
    toolOf(other).classList.remove("news");
    other.querySelector("textarea, button")?.focus();
  }
}

for (const panel of panels) {
  toolOf(panel).addEventListener("click", () => open(panel));
  panel.addEventListener("wanted", () => panel.hidden && open(panel));
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open(null);
    toolOf(panel).focus();
  });
}
screen.addEventListener("pointerdown", () => open(null), true);

// Tools

if ($("panel-clipboard")) new Clipboard(line, screen, $("panel-clipboard"), $("tool-clipboard"), may);
if ($("panel-files")) new Files(id, $("panel-files"), $("drop"), say, may);
if ($("tool-sound")) new Sound(id, $("tool-sound"), say);
new Keys(line, $("panel-keys"), typing);

// Ctrl, Alt and Shift together lead from the desktop, which has all other keys, to the tools.
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey && event.altKey && event.shiftKey && ["Control", "Alt", "Shift"].includes(event.key))) return;
  if (!screen.contains(document.activeElement)) return line.rfb?.focus({ preventScroll: true });
  reveal(true);
  bar.querySelector("a, button").focus();
}, true);

// The arrows move among the tools, as in any toolbar.
bar.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tools = [...bar.querySelectorAll("a, button")].filter((tool) => tool.offsetParent);
  if (event.key === "Escape") line.rfb?.focus({ preventScroll: true });
  if (!step) return;
  event.preventDefault();
  tools[(tools.indexOf(document.activeElement) + step + tools.length) % tools.length].focus();
});

// Full screen: the tools hide at the upper edge.

$("tool-full").addEventListener("click", async () => {
  if (document.fullscreenElement) return document.exitFullscreen();
  try {
    await document.documentElement.requestFullscreen({ navigationUI: "hide" });
    await navigator.keyboard?.lock?.(); // Escape and Alt+Tab are the desktop's then, where browsers can
    line.rfb?.focus({ preventScroll: true });
  } catch {
    say("Your browser does not allow full screen here.");
  }
});

document.addEventListener("fullscreenchange", () => {
  const full = Boolean(document.fullscreenElement);
  document.body.classList.toggle("full", full);
  $("tool-full").setAttribute("aria-pressed", String(full));
  handle.hidden = !full;
  reveal(!full);
});

function reveal(shown) { bar.classList.toggle("away", !shown && document.body.classList.contains("full")); }

handle.addEventListener("click", () => { reveal(true); bar.querySelector("button").focus(); });
handle.addEventListener("pointerenter", () => reveal(true));
screen.addEventListener("pointermove", () => reveal(false));
screen.addEventListener("pointerdown", () => reveal(false), true);

// Small screens: the desktop keeps its size and is shown small; actual size is dragged about.

const small = matchMedia("(max-width: 46rem), (max-height: 26rem)");

function fit() {
  const actual = $("tool-fit").getAttribute("aria-pressed") === "true";
  if (!line.rfb) return;
  line.rfb.resizeSession = !small.matches;
  line.rfb.scaleViewport = !actual;
  line.rfb.clipViewport = actual;
  line.rfb.dragViewport = actual;
}

small.addEventListener("change", fit);
$("tool-fit").addEventListener("click", ({ currentTarget: tool }) => {
  tool.setAttribute("aria-pressed", String(tool.getAttribute("aria-pressed") !== "true"));
  fit();
});

$("tool-typing").addEventListener("click", () => typing.focus());
typing.addEventListener("focus", () => $("tool-typing").setAttribute("aria-pressed", "true"));
typing.addEventListener("blur", () => $("tool-typing").setAttribute("aria-pressed", "false"));

line.open({ start: true });
