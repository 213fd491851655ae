// The line to a desktop: gets a ticket, opens the stream with it, and opens it again when it
// is lost. What becomes of it is told as "phase" events:
//
//   wait       not yet: title and text say why
//   connected  the screen is there
//   lost       the line broke; it is tried again by itself
//   over       it ends here, until open is called: choices says what a person can do
//
// The codes that a stream is closed with are those of internal/gateway/seam.go.

import RFB from "./novnc.js";

const taken = 4001, access = 4002, away = 4003, left = 4004;

export class Line extends EventTarget {
  constructor(id, target, may) {
    super();
    Object.assign(this, { id, target, may, rfb: null, share: false, turn: 0 });
    addEventListener("online", () => this.hurry?.());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry?.());
  }

  // open connects. start: a stopped desktop is started. share: beside other tabs, not in their place.
  async open({ start = false, share = this.share } = {}) {
    const turn = ++this.turn;
    this.share = share;
    this.rfb?.disconnect();
    this.rfb = null;
    for (let tries = 0, seen = ""; turn === this.turn;) {
      const said = await this.ask({ start, share, seen });
      if (turn !== this.turn) return;
      if (said.ticket) return this.dial(said.ticket, turn);
      if (said.signedOut) return location.assign(`/?from=/desktop/${this.id}`);
      if (said.lost) {
        this.tell("lost", { tries: ++tries });
        await this.pause(tries);
      } else if (said.wait) {
        tries = 0;
        seen = said.state;
        this.tell("wait", said);
      } else {
        return this.tell("over", { ...said, choices: said.startable ? ["start"] : ["again"] });
      }
    }
  }

  // ask asks for a ticket. While a desktop is on its way the server answers when that has changed.
  async ask(form) {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(form)) if (value) body.set(name, value === true ? "yes" : value);
    try {
      const reply = await fetch(`/desktop/${this.id}/ticket`, { method: "POST", body, headers: { Accept: "application/json" } });
      if (reply.status === 401) return { signedOut: true };
      if (reply.status >= 500) return { lost: true };
      return await reply.json();
    } catch {
      return { lost: true };
    }
  }

  dial(ticket, turn) {
    const socket = new WebSocket(`/desktop/${this.id}/stream?ticket=${ticket}`);
    // Before noVNC's own listeners: it reads no text, and takes the picture away when the line ends.
    socket.addEventListener("message", (event) => {
      if (typeof event.data !== "string") return;
      event.stopImmediatePropagation();
      this.tell("told", JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => this.closed(event, turn));
    const rfb = new RFB(this.target, socket, { shared: true });
    rfb.background = "transparent";
    rfb.scaleViewport = true;
    rfb.resizeSession = true;
    rfb.addEventListener("connect", () => {
      if (turn !== this.turn) return;
      this.freeze(false);
      this.tell("connected", {});
      rfb.focus({ preventScroll: true });
    });
    rfb.addEventListener("clipboard", (event) => this.tell("copied", { text: event.detail.text }));
    this.rfb = rfb;
  }

  closed({ code, reason }, turn) {
    if (turn !== this.turn) return;
    this.freeze(true);
    this.rfb = null;
    if (code === taken) {
      this.tell("over", { title: "Your desktop is open somewhere else", text: reason || "Another window has taken it over.", choices: ["take", "share"] });
    } else if (code === access) {
      this.cut(reason, turn);
    } else if (code === left) {
      this.freeze(false);
      this.tell("over", {
        title: "You have signed out", choices: ["anew"],
        text: "Your session has ended, and its desktop is being removed. You can begin another session on a new one.",
      });
    } else if (code === away) {
      this.open(); // asks why, and waits where that passes
    } else {
      this.tell("lost", { tries: 0 });
      this.pause(0).then(() => turn === this.turn && this.open());
    }
  }

  // cut tells why the person may not go on. A reason holds 123 bytes; of a longer one the whole is asked for.
  async cut(reason, turn) {
    const whole = reason.endsWith("…") ? await this.ask({}) : {};
    if (turn !== this.turn) return;
    const { title = "You are disconnected", text = reason } = whole.ticket ? {} : whole;
    this.tell("over", { title, text, choices: ["again"] });
  }

  // freeze keeps the last picture on the page while there is no line, or takes it away.
  freeze(keep) {
    const now = this.target.querySelector("canvas");
    this.target.parentElement.querySelector(".frozen")?.remove();
    if (!keep || !now?.width) return;
    const still = document.createElement("canvas");
    Object.assign(still, { width: now.width, height: now.height, className: "frozen" });
    still.getContext("2d").drawImage(now, 0, 0);
    this.target.before(still);
  }

  // pause waits longer each time, and for as long as nobody looks: a window in the background
  // must not take the desktop from the one that is worked in.
  async pause(tries) {
    const most = Math.min(8000, 400 * 2 ** tries);
    await new Promise((resolve) => {
      this.hurry = () => { clearTimeout(timer); resolve(); };
      const timer = setTimeout(this.hurry, most * (0.5 + Math.random() / 2));
    });
    while (document.hidden) await new Promise((resolve) => { this.hurry = resolve; });
    this.hurry = null;
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent("phase", { detail: { type, ...detail } }));
  }
}
