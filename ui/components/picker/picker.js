// The picker itself: data in, pointer and keyboard, what is drawn when, what is sent to Python.

import { arithmeticOf } from "./arithmetic/arithmetic.js";
import { readArrays } from "./arithmetic/buffers.js";
import { make } from "../dom.js";
import { cellsOf } from "./drawing/geometry.js";
import { keepChannel, sayKeep } from "./drawing/kept_channel.js";
import { readMeans } from "./drawing/object_means.js";
import { PanelView } from "./drawing/panel_view.js";
import { SmallMaps } from "./drawing/small_maps.js";
import { watchSliders } from "../sliders.js";
import { listen, listenThreshold } from "./input.js";
import { linkedCell, middleOf, objectTaken, patchUnder } from "./places.js";
import { Player } from "./play.js";
import { nameOf, noteOf, report, tell } from "./readout.js";
// The pause between two drawings; how long the pointer rests before the small maps of a large clip are
// painted, and how long they are painted at a time.
const REST_MS = 12, SETTLED_MS = 80, SLICE_MS = 6;
const OUTSIDE = "The network does not see this part: the centre crop cuts it off. Point inside, or choose the framing “whole picture”.";
const OUTSIDE_BOX = "The block saw the object in this box only. Point inside the box, or click another object.";
const MANY_POSITIONS = 1600, MANY_FRAMES = 16;

class Picker {
  constructor(root) {
    this.root = root;
    this.turn = 0;
    this.factors = new Map();
    this.pointer = this.keyed = this.panels = null;
    this.waiting = this.draws = this.drawnAt = this.shown = 0;
  }

  async update(data, send) {
    const turn = ++this.turn;
    this.send = send;
    const { buffer, byteOffset } = data.slice();
    const size = new DataView(buffer, byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, byteOffset + 4, size)));
    const base = byteOffset + 4 + size;
    const { pictures, look, original } = header, hash = pictures.map((one) => one.hash).join();
    if (this.hash !== hash) {
      const films = await Promise.all(pictures.map((one) => filmOf(one, buffer, base)));
      if (turn !== this.turn) return;
      this.hash = hash;
      this.films = films;
      this.layout = this.panels = null;
    }
    this.table = new Uint8Array(buffer, base + header.table.offset, header.table.length);
    Object.assign(this, { look, original, taking: header.pointer, masks: header.masks, finder: header.finder });
    // The first picture has the reference; a second one shows what it answers to there.
    this.films.forEach((film, k) => { film.times = pictures[k].times; });
    [this.film] = this.films;
    const before = this.panels?.[0].pin.frame;
    this.panels = header.panels.map((panel, k) => this.open(panel, buffer, base, k));
    this.shown = Math.min(this.shown, this.film.bitmaps.length - 1);
    if (this.panels[0].pin.frame !== before) this.shown = this.panels[0].pin.frame;
    this.keyed = this.awaited = null;
    this.build();
    this.draw();
  }

  // A panel with its arrays, which are read once while the factors stay the same.
  open(panel, buffer, base, index) {
    const pin = { frame: panel.frame, row: panel.cell.y, col: panel.cell.x, object: panel.object };
    const arithmetic = arithmeticOf(panel.arithmetic);
    panel.means = readMeans(buffer, base, panel.over);
    if (panel.arithmetic === "static") return arithmetic.prepare({ ...panel, pin, arrays: readArrays(buffer, base, panel.arrays) });
    const key = JSON.stringify([panel.key, panel.arithmetic, Object.entries(panel.arrays).map(([name, { length, peak }]) => [name, length, peak])]);
    let kept = this.factors.get(index);
    if (kept?.key !== key) {
      kept = { key, arrays: readArrays(buffer, base, panel.arrays) };
      this.factors.set(index, kept);
    }
    return arithmetic.prepare({ ...panel, pin, arrays: kept.arrays });
  }

  build() {
    const { film } = this, many = film.times.length > 1;
    const layout = JSON.stringify([this.hash, film.times, this.panels.map((p) => [p.span, p.keyGrid, p.names, p.divisions, Boolean(p.heading)])]);
    if (layout !== this.layout) {
      this.layout = layout;
      const playing = this.player?.playing;
      this.views = null; // what goes away below may still call `schedule`
      this.player?.pause();
      this.root.replaceChildren();
      this.player = many ? new Player(this.root, film.times, (frame) => this.step(frame)) : null;
      const stages = make("div", this.films.length > 1 ? "stages pairs" : "stages");
      this.views = this.panels.map((panel) => new PanelView(panel, stages, this.films[panel.picture]));
      const bar = this.buildBar();
      // Film strips are long: above them the readout stays in sight.
      this.root.append(...(many ? [bar, stages] : [stages, bar]));
      this.views.forEach((view, k) => {
        view.small = new SmallMaps(this.panels[k], this.root, view.film, (name) => this.choose(name));
      });
      this.live = make("div", "unseen", this.root);
      this.live.setAttribute("aria-live", "polite");
      this.watchSizes();
      if (many) this.player.onchange = () => this.schedule();
      this.player?.at(this.shown);
      if (playing) this.player?.play();
    }
    this.panels.forEach((panel, k) => {
      const view = this.views[k], { strip } = view;
      view.painted = null;
      view.masks = this.masks;
      view.label(panel, this.look, this.table);
      listenThreshold(this, view);
      if (panel.of === null) listen(this, view.surface.canvas, panel.geometry, () => this.shown);
      strip?.frames.forEach(({ canvas }, frame) => listen(this, canvas, panel.geometry, () => frame, true));
      if (strip) strip.root.onpointerleave = () => this.leave();
    });
  }

  buildBar() {
    const bar = make("div", "bar");
    this.readout = make("div", "readout", bar);
    const hold = make("label", "hold", bar);
    this.hold = make("input", "", hold);
    this.hold.type = "checkbox";
    this.hold.onchange = () => this.schedule();
    make("span", "", hold, "Keep the reference fixed; read values under the pointer");
    this.keeping = make("label", "keep", bar);
    this.keep = make("input", "", this.keeping);
    this.keep.type = "checkbox";
    this.keep.onchange = () => keepChannel(this, this.keep.checked);
    this.keepText = make("span", "", this.keeping);
    return bar;
  }

  // Arrows lie where the frames are on the page.
  watchSizes() {
    this.sizes?.disconnect();
    this.sizes = new ResizeObserver(() => this.views.forEach((view, k) => {
      view.forgetPlaces();
      if (view.at) view.drawArrows(this.panels[k], view.at, this.look.arrows);
    }));
    for (const view of this.views) this.sizes.observe(view.root);
  }

  leave() {
    this.pointer = null;
    this.schedule();
  }

  step(frame) {
    this.shown = Math.min(this.film.times.length - 1, Math.max(0, frame));
    this.schedule();
  }

  // Pins a patch; with an object its middle, or the mean over it.
  pinAt(cell, one = null) {
    const object = one?.number ?? cell.object ?? null, own = (at) => `${nameOf(at, this.film)}@${at.object ?? ""}`;
    const moved = own(cell) !== own(this.panels[0].pin);
    // A map that only Python can compute stays that of the old pin until the new one comes.
    this.awaited = moved && this.panels.some((panel) => panel.still) ? cell : null;
    const { frame, row, col } = cell;
    const pins = this.panels.map((panel) => (panel.still ? panel.pin : linkedCell(this, panel, cell)));
    this.panels.forEach((panel, k) => { panel.pin = pins[k]; });
    const place = this.film.times.length > 1 ? { frame, row, col } : { row, col };
    this.send("pick", object === null ? place : { ...place, object });
    for (const view of this.views) view.painted = null;
    this.schedule(true);
  }

  choose(name) {
    for (const panel of this.panels) if (panel.names.includes(name)) panel.shown = name;
    for (const view of this.views) view.painted = null;
    this.send("focus", name);
    this.schedule();
  }

  // Another threshold while its mark is dragged; Python hears of it at the end.
  cutAt(threshold, done) {
    this.lookAs({ threshold });
    if (done) this.send("threshold", threshold);
  }

  // Another look while something is dragged, here or in the sidebar.
  lookAs(change) {
    if (!this.views) return;
    this.look = { ...this.look, ...change };
    for (const view of this.views) view.painted = null;
    this.schedule();
  }

  // Draw now, or with the next frame when the last drawing was a moment ago.
  schedule(speak = false) {
    this.speak ||= speak;
    if (this.waiting || !this.views) return;
    if (performance.now() - this.drawnAt > REST_MS) this.draw();
    else this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); });
  }

  draw() {
    const started = performance.now();
    const one = objectTaken(this), moved = this.keyed ?? (one ? middleOf(this, one) : patchUnder(this, this.pointer)), { pin } = this.panels[0];
    this.other = one && !moved ? one : null;
    const cell = (this.hold.checked ? null : moved) ?? pin, read = moved ?? pin;
    const fresh = this.panels.map((panel, k) => this.paint(panel, this.views[k], cell, read)).some(Boolean);
    this.player?.at(this.shown);
    if (moved) this.outside = false;
    sayKeep(this);
    tell(this, read, Boolean(moved));
    report(this, nameOf(this.panels[0].still ? pin : cell, this.film), started, fresh);
    this.drawnAt = performance.now();
    if (fresh) this.queueSmall();
  }

  // Paints what has changed of one network: a new reference, or another frame of the clip. Returns
  // whether its map is new.
  paint(panel, view, cell, read) {
    const at = panel.still ? panel.pin : linkedCell(this, panel, cell), name = `${nameOf(at, this.film)}@${at.object ?? ""}`;
    const fresh = view.painted !== name, stepped = view.shown !== this.shown, { look, table } = this;
    view.show(this.shown);
    if (fresh) {
      view.painted = name;
      view.at = at;
      view.compute(panel, at, look);
      view.drawRamp(look, table);
      view.strip?.paint(view.heat, look, table);
      view.drawArrows(panel, at, this.look.arrows);
    }
    if (fresh || stepped) view.paintLarge(look, table);
    view.place("reference", panel, at);
    view.place("pin", panel, panel.still ? linkedCell(this, panel, this.awaited ?? read) : panel.pin);
    view.takeObject(at, objectTaken(this)?.number ?? panel.region ?? null, panel.pin.object ?? null);
    const note = this.noteOn(panel, view);
    if (view.note.textContent !== note) view.note.textContent = note;
    return fresh;
  }

  noteOn(panel, view) {
    if (this.other) return `Click to see what the block saw of ${this.other.text}.`;
    if (this.outside) return panel.region === null ? OUTSIDE : OUTSIDE_BOX;
    return noteOf(panel, view, this.awaited);
  }

  // The small maps come after the large ones, so that these are never late: at once for a picture, in
  // slices for a clip, and only when the pointer rests where there is much to paint.
  queueSmall() {
    clearTimeout(this.later);
    this.small = this.views.flatMap((view, k) => view.small.buttons.map((button) => [view, this.panels[k], button]));
    const much = this.film.times.length > 1
      && (this.film.times.length > MANY_FRAMES || this.panels.some((panel) => cellsOf(panel.keyGrid) > MANY_POSITIONS));
    this.later = setTimeout(() => this.drawSmall(), much ? SETTLED_MS : 0);
  }

  drawSmall() {
    const until = this.film.times.length > 1 ? performance.now() + SLICE_MS : Infinity;
    while (this.small.length && performance.now() < until) {
      const [view, panel, button] = this.small.shift();
      view.small.paint(button, panel, view.asked, this.look, this.table);
    }
    if (this.small.length) this.later = setTimeout(() => this.drawSmall(), 0);
    else this.root.dataset.small = String(this.draws);
  }
}

// What a picture is made of: its sides, and its frames ready to be drawn.
async function filmOf({ frames, type, width, height }, buffer, base) {
  const bitmaps = await Promise.all(frames.map(({ offset, length }) => createImageBitmap(
    new Blob([new Uint8Array(buffer, base + offset, length)], { type }), { colorSpaceConversion: "none" })));
  return { width, height, bitmaps };
}

const pickers = new WeakMap();
// Key of a slider of the sidebar -> the field of the look that it sets.
const SLIDERS = { threshold: "threshold", share: "share", opacity: "heat_opacity" };

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".picker");
  if (!pickers.has(root)) pickers.set(root, new Picker(root));
  const picker = pickers.get(root);
  picker.update(data, setTriggerValue);
  watchSliders(Object.keys(SLIDERS), (name, value) => picker.lookAs({ [SLIDERS[name]]: value }));
}
