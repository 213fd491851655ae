// Plays the samples that sound.js sends, in the browser's own thread for sound. It holds a
// little back, so that a late packet is not heard, and skips what has become too old.

const start = 48000 * 0.06, most = 48000 * 0.4; // frames

registerProcessor("speaker", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = [];
    this.at = 0;      // frames of the first of the queue that have been played
    this.frames = 0;  // left in the queue
    this.running = false;
    this.port.onmessage = ({ data }) => {
      this.queue.push(data);
      this.frames += data.length / 2;
      while (this.frames > most) this.drop();
    };
  }

  drop() {
    this.frames -= this.queue.shift().length / 2 - this.at;
    this.at = 0;
  }

  process(_, [[left, right]]) {
    if (!this.running && this.frames < start) return true;
    this.running = this.frames > 0;
    for (let i = 0; i < left.length && this.frames > 0; i++) {
      const now = this.queue[0];
      left[i] = now[2 * this.at] / 32768;
      right[i] = now[2 * this.at + 1] / 32768;
      this.at++;
      this.frames--;
      if (2 * this.at >= now.length) {
        this.queue.shift();
        this.at = 0;
      }
    }
    return true;
  }
});
