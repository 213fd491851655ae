// The clipboards of the desktop and of the device. To paste costs no permission: the browser
// hands its text over with the keys for it. To copy takes one that most browsers give by
// themselves; where not, the text is in the panel.

const keysyms = { v: 0x76, V: 0x56, insert: 0xff63, control: 0xffe3, superLeft: 0xffeb };

export class Clipboard {
  constructor(line, screen, panel, tool, may) {
    Object.assign(this, { line, screen, tool, may, sent: null, copied: "" });
    this.text = panel.querySelector("textarea");
    this.state = panel.querySelector(".state");
    line.addEventListener("phase", ({ detail }) => {
      if (detail.type === "copied") this.fromDesktop(detail.text);
      if (detail.type === "connected") this.sent = null;
    });
    if (may.paste) {
      addEventListener("keydown", (event) => this.keydown(event), true);
      addEventListener("paste", (event) => this.pasted(event), true);
      panel.querySelector("[data-do=send]").addEventListener("click", () => this.send(this.text.value, "Sent. Paste it on the desktop."));
    }
    if (may.copy) {
      panel.querySelector("[data-do=take]").addEventListener("click", () => this.toDevice(this.text.value, true));
    }
  }

  // keydown lets the browser see the keys for pasting, which noVNC would keep from it; what it
  // hands over goes to the desktop first, the key after it.
  keydown(event) {
    if (!this.line.rfb || !this.screen.contains(event.target)) return;
    const command = event.ctrlKey || event.metaKey;
    const pastes = (event.code === "KeyV" && command && !event.altKey) || (event.code === "Insert" && event.shiftKey && !command);
    if (!pastes || event.repeat) return;
    event.stopImmediatePropagation();
    const key = event.code === "Insert" ? keysyms.insert : event.shiftKey ? keysyms.V : keysyms.v;
    this.waiting = { key, code: event.code, meta: event.metaKey && !event.ctrlKey };
    this.timer = setTimeout(() => this.press(), 150); // nothing was handed over
  }

  pasted(event) {
    if (!this.waiting) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    clearTimeout(this.timer);
    this.send(event.clipboardData.getData("text/plain"));
    this.press();
  }

  press() {
    const { key, code, meta } = this.waiting ?? {};
    this.waiting = null;
    const rfb = this.line.rfb;
    if (!rfb || !key) return;
    if (meta) { // as people with a Mac paste
      rfb.sendKey(keysyms.superLeft, "MetaLeft", false);
      rfb.sendKey(keysyms.control, "ControlLeft", true);
    }
    rfb.sendKey(key, code);
    if (meta) rfb.sendKey(keysyms.control, "ControlLeft", false);
  }

  send(text, done) {
    if (!this.line.rfb || !text) return;
    if (text !== this.sent) this.line.rfb.clipboardPasteFrom(text);
    this.sent = text;
    if (done) this.state.textContent = done;
  }

  fromDesktop(text) {
    if (!this.may.copy) return;
    this.sent = text;
    this.text.value = text;
    this.toDevice(text, false);
  }

  async toDevice(text, asked) {
    try {
      await navigator.clipboard.writeText(text);
      this.tool.classList.remove("news");
      this.state.textContent = "What you copied is on this device’s clipboard.";
    } catch {
      this.text.value = text;
      this.tool.classList.toggle("news", !asked);
      this.state.textContent = asked ? "Your browser does not allow it. The text is selected: press Ctrl+C." : "Copied on the desktop. Press Copy to this device.";
      if (asked) this.text.select();
    }
  }
}
