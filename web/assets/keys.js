// Keys that a browser or the device keeps to itself, or does not have: the panel's buttons, and
// the touch keyboard, whose text arrives as input and not as keys.

const named = {
  Escape: 0xff1b, Tab: 0xff09, Enter: 0xff0d, Backspace: 0xff08, Delete: 0xffff, Insert: 0xff63, PrintScreen: 0xff61,
  Control: 0xffe3, Alt: 0xffe9, Shift: 0xffe1, Super: 0xffeb, F4: 0xffc1, F11: 0xffc8,
  Left: 0xff51, Up: 0xff52, Right: 0xff53, Down: 0xff54,
};
const codes = { Control: "ControlLeft", Alt: "AltLeft", Shift: "ShiftLeft", Super: "MetaLeft" };

export class Keys {
  constructor(line, panel, typing) {
    this.line = line;
    this.typing = typing;
    for (const button of panel.querySelectorAll("[data-keys]")) {
      button.addEventListener("click", () => this.press(button.dataset.keys.split("+")));
    }
    for (const button of panel.querySelectorAll("[data-hold]")) {
      button.addEventListener("click", () => this.hold(button, button.getAttribute("aria-pressed") !== "true"));
    }
    line.addEventListener("phase", ({ detail }) => {
      if (detail.type === "connected") panel.querySelectorAll("[data-hold]").forEach((b) => b.setAttribute("aria-pressed", "false"));
    });
    typing.addEventListener("input", (event) => this.typed(event));
    typing.addEventListener("keydown", (event) => this.special(event));
    this.clear();
  }

  key(name, down) { this.line.rfb?.sendKey(named[name], codes[name] ?? name, down); }

  press(names) {
    for (const name of names) this.key(name, true);
    for (const name of names.reverse()) this.key(name, false);
    this.line.rfb?.focus({ preventScroll: true });
  }

  hold(button, down) {
    this.key(button.dataset.hold, down);
    button.setAttribute("aria-pressed", String(down));
  }

  // The field always holds something, so that there is something to be deleted.
  clear() {
    this.typing.value = "__";
    this.typing.setSelectionRange(2, 2);
  }

  typed(event) {
    if (event.inputType === "deleteContentBackward") this.press2("Backspace");
    else if (event.inputType === "insertLineBreak") this.press2("Enter");
    else for (const letter of event.data ?? "") this.line.rfb?.sendKey(keysym(letter));
    if (!event.isComposing) this.clear();
  }

  special(event) {
    if (!(event.key in named) || event.key === "Backspace" || event.key === "Enter" || event.key === "Shift") return;
    event.preventDefault();
    this.press2(event.key);
  }

  press2(name) { this.line.rfb?.sendKey(named[name], codes[name] ?? name); }
}

// keysym is X's name of a character. Source: X Window System Protocol, appendix A.
function keysym(letter) {
  const point = letter.codePointAt(0);
  return point < 0x20 ? named.Enter : point < 0x100 ? point : 0x01000000 + point;
}
