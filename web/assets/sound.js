// The desktop's sound: raw samples (48,000 a second, 16 bits, left and right in turn) that a
// worklet plays. It begins when a person asks for it, as browsers want it, and in a later
// visit with the first click or key.

const rate = 48000, access = 4002; // the code is one of internal/gateway/seam.go

export class Sound {
  constructor(id, button, say) {
    Object.assign(this, { at: `/desktop/${id}/sound`, button, say, context: null });
    button.addEventListener("click", () => this.toggle());
    if (localStorage.getItem("sound") !== "on") return;
    const begin = (event) => {
      for (const type of ["pointerup", "keydown"]) removeEventListener(type, begin, true);
      if (!this.context && !button.contains(event.target)) this.start();
    };
    for (const type of ["pointerup", "keydown"]) addEventListener(type, begin, true);
  }

  toggle() {
    localStorage.setItem("sound", this.context ? "off" : "on");
    if (this.context) this.stop();
    else this.start();
  }

  async start() {
    if (!isSecureContext) return this.say("Browsers play a desktop's sound only where the address begins with https.");
    this.button.setAttribute("aria-pressed", "true");
    const context = this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    try {
      await context.audioWorklet.addModule(new URL("./speaker.js", import.meta.url));
      const speaker = new AudioWorkletNode(context, "speaker", { outputChannelCount: [2] });
      speaker.connect(context.destination);
      this.listen(context, speaker.port, 0);
    } catch {
      this.say("Your browser cannot play the desktop's sound.");
      this.stop();
    }
  }

  // listen plays what comes, and listens again where the line breaks, each time after a longer pause.
  listen(context, port, tries) {
    if (this.context !== context) return;
    const socket = this.socket = new WebSocket(this.at);
    let received = 0;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      // What the server has not heard of is on its way; it leaves out what would come too late.
      socket.send(received += data.byteLength);
      port.postMessage(new Int16Array(data), [data]);
      tries = 0;
    };
    socket.onclose = ({ code, reason }) => {
      if (this.context !== context) return;
      if (code === access) {
        this.say(reason);
        return this.stop();
      }
      setTimeout(() => this.listen(context, port, tries + 1), Math.min(8000, 500 * 2 ** tries));
    };
  }

  stop() {
    this.context?.close();
    this.context = null;
    this.socket?.close();
    this.button.setAttribute("aria-pressed", "false");
  }
}
