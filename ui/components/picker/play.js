// Play, pause and the frame slider of a clip.

import { make } from "../dom.js";
import { seconds } from "./drawing/strip.js";
const LEAST_MS = 40;

// How long each frame is shown: until the next one's time; the last for the median.
function durations(times) {
  const waits = times.slice(1).map((time, k) => Math.max(LEAST_MS, 1000 * (time - times[k]))), sorted = [...waits].sort((a, b) => a - b);
  return [...waits, sorted[sorted.length >> 1] ?? LEAST_MS];
}

export class Player {
  // `show` is called with the frame to show.
  constructor(parent, times, show) {
    Object.assign(this, { times, show, waits: durations(times), playing: false });
    this.root = make("div", "transport", parent);
    this.button = make("button", "play", this.root);
    this.button.type = "button";
    this.button.onclick = () => this.toggle();
    this.slider = make("input", "scrubber", this.root);
    Object.assign(this.slider, { type: "range", min: 0, max: times.length - 1, step: 1 });
    this.slider.setAttribute("aria-label", "Frame shown large");
    this.slider.oninput = () => {
      this.pause();
      show(Number(this.slider.value));
    };
    this.text = make("span", "time", this.root);
    this.say();
  }

  // Tells the player which frame is shown.
  at(frame) {
    if (this.frame === frame) return;
    this.frame = frame;
    this.slider.value = frame;
    this.text.textContent = `frame ${frame} · ${seconds(this.times[frame])}`;
    this.slider.setAttribute("aria-valuetext", `frame ${frame}, ${seconds(this.times[frame])}`);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    this.playing = true;
    this.due = performance.now();
    this.say();
    this.wait();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.timer);
    this.say();
  }

  wait() {
    const now = performance.now();
    this.due = Math.max(this.due + this.waits[this.frame], now);
    this.timer = setTimeout(() => this.advance(), this.due - now);
  }

  advance() {
    if (!this.root.isConnected) return this.pause();
    this.show((this.frame + 1) % this.times.length);
    this.wait();
  }

  say() {
    const words = this.playing ? "Pause" : "Play";
    this.button.textContent = this.playing ? "❚❚" : "▶";
    this.button.setAttribute("aria-label", words);
    this.button.title = `${words} (space on a picture)`;
    this.onchange?.();
  }
}
