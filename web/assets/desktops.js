// The list of WorkSpaces: follows their states as the server tells them, keeps the pictures of
// their screens fresh while somebody looks, and asks before what cannot be undone.

const cards = document.getElementById("cards");
const said = document.getElementById("said");
const lost = document.getElementById("lost");
const pictureEvery = 4000;

// States

let events = null;

function listen() {
  if (events || document.hidden) return;
  events = new EventSource("/desktops/events");
  events.onopen = () => { lost.hidden = true; };
  events.onerror = () => { lost.hidden = document.hidden; };
  events.addEventListener("cards", (event) => show(event.data));
  events.addEventListener("over", () => location.reload()); // signed out, or not let in any more
}

function rest() {
  events?.close();
  events = null;
}

const shown = new Map(); // the cards' HTML as the server sent it, by their ids

// show replaces the cards that have changed, and leaves the others, with focus and picture, alone.
function show(html) {
  const next = document.createElement("template");
  next.innerHTML = html;
  const fresh = [...next.content.children];
  for (const old of [...cards.children]) {
    if (!fresh.some((card) => card.id === old.id)) old.remove();
  }
  fresh.forEach((card, i) => {
    const old = card.id ? document.getElementById(card.id) : cards.querySelector(".none");
    if (old && shown.get(card.id) === card.outerHTML) return;
    shown.set(card.id, card.outerHTML);
    const focused = old?.contains(document.activeElement) ? document.activeElement.id : "";
    const picture = old?.querySelector(".screen img");
    if (old?.querySelector("details[open]")) card.querySelector("details")?.setAttribute("open", "");
    if (picture) card.querySelector(".screen img")?.replaceWith(picture); // no blink
    if (old?.dataset.label !== card.dataset.label && card.dataset.label) {
      said.textContent = `${card.querySelector("h2").textContent}: ${card.dataset.label}`;
    }
    if (old) old.replaceWith(card); else cards.insertBefore(card, cards.children[i] ?? null);
    if (focused) (document.getElementById(focused) ?? card.querySelector("a.button, button"))?.focus();
  });
}

// Pictures

let timer = 0;

async function pictures() {
  clearTimeout(timer);
  if (document.hidden) return;
  await Promise.all([...cards.querySelectorAll("[data-picture]")].filter(seen).map(picture));
  clearTimeout(timer);
  timer = setTimeout(pictures, pictureEvery);
}

function seen(screen) {
  const { top, bottom } = screen.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

async function picture(screen) {
  const next = new Image();
  next.alt = "";
  next.src = `${screen.dataset.picture}?${Date.now()}`;
  try {
    await next.decode();
  } catch {
    return; // there is none now: what is there stays
  }
  if (!screen.isConnected) return;
  screen.querySelector("img")?.remove();
  screen.prepend(next);
}

// Questions

const dialog = document.getElementById("confirm");

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.sure) return;
  event.preventDefault();
  dialog.querySelector("#confirm-title").textContent = form.dataset.confirm;
  dialog.querySelector("#confirm-text").textContent = form.dataset.text;
  dialog.querySelector("#confirm-yes").textContent = form.dataset.yes;
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "yes" || !form.isConnected) return;
  form.dataset.sure = "yes";
  form.requestSubmit();
});

// Who signs out is on the way to a page that must not be cut off by the end of the session.
document.querySelector(".who").addEventListener("submit", rest);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest(); else { listen(); pictures(); }
});
document.querySelector(".problem")?.focus();
listen();
timer = setTimeout(pictures, pictureEvery); // the page came with the first ones
