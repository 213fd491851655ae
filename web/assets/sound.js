// The desktop's sound: raw samples (48,000 a second, 16 bits, left and right in turn) that a
// worklet plays. It begins when a person asks for it, as browsers want it.

const rate = 48000, frameBytes = 4;

export class Sound {
  constructor(id, button, say) {
    Object.assign(this, { at: `/desktop/${id}/sound`, button, say, playing: null });
    button.addEventListener("click", () => this.playing ? this.stop() : this.start());
  }

  async start() {
    const stop = new AbortController();
    this.playing = stop;
    this.button.setAttribute("aria-pressed", "true");
    try {
      const context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
      stop.signal.addEventListener("abort", () => context.close());
      await context.audioWorklet.addModule(new URL("./speaker.js", import.meta.url));
      const speaker = new AudioWorkletNode(context, "speaker", { outputChannelCount: [2] });
      speaker.connect(context.destination);
      const reply = await fetch(this.at, { signal: stop.signal, headers: { Accept: "application/octet-stream, application/json" } });
      if (!reply.ok) throw new Error((await reply.json()).text);
      await feed(reply.body.getReader(), speaker.port);
      if (!stop.signal.aborted) throw new Error("The sound has ended.");
    } catch (error) {
      if (!stop.signal.aborted) this.say(error.message || "There is no sound now.");
    }
    if (this.playing === stop) this.stop();
  }

  stop() {
    this.playing?.abort();
    this.playing = null;
    this.button.setAttribute("aria-pressed", "false");
  }
}

// feed hands samples on as they come, in whole frames.
async function feed(reader, port) {
  let rest = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const all = new Uint8Array(rest.length + value.length);
    all.set(rest);
    all.set(value, rest.length);
    const whole = all.length - all.length % frameBytes;
    rest = all.slice(whole);
    const samples = new Int16Array(all.buffer.slice(0, whole));
    port.postMessage(samples, [samples.buffer]);
  }
}
