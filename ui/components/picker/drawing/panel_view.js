// What a network looks like on the page: its canvas, colour bar, marks and film strip.
// Names are only ever text: they go in through textContent.

import { Arrows, MOST_ARROWS } from "./arrows.js";
import { make } from "../../dom.js";
import { arithmeticOf } from "../arithmetic/arithmetic.js";
import { mapOver, overOf } from "./object_means.js";
import { cellsOf, centreOf, frameOf, momentOf, outline, ownPosition } from "./geometry.js";
import { emptyHeat, normalise, strongest } from "./heat.js";
import { MatchMarks } from "./match_marks.js";
import { Objects } from "./objects.js";
import { FilmStrip } from "./strip.js";
import { Room, Surface } from "./surface.js";
const NORMALISATION = {
  clip: "scaled to the map's own minimum and maximum", frame: "scaled to each frame's own minimum and maximum", fixed: "scaled to a fixed range",
};
const DISPLAYS = { linear: "", log: ", logarithmic", "without-reference": ", without the reference's own cell" };
const CLIP_KEYS = " Comma and full stop, or Page Up and Page Down, step the frame that is shown, Home and End go to the first " +
  "and the last; square brackets move the reference to the frame before or after; space plays and pauses.";

export const short = (v) => (v === 0 ? "0" : Math.abs(v) >= 1e4 || Math.abs(v) < 1e-3 ? v.toExponential(2) : v.toPrecision(3));

function shownWords({ cut, share }) {
  if (!cut || cut === "value") return "";
  const percent = `${Math.round(100 * share)} %`;
  return cut === "area" ? `; shown is the top ${percent} of the cells` : `; shown are the fewest cells that hold ${percent} of the sum`;
}

export class PanelView {
  constructor(panel, parent, film) {
    this.film = film;
    this.root = make("div", "view", parent);
    const head = make("div", "head", this.root);
    this.title = make("div", "title", head);
    this.prediction = make("div", "prediction", head);
    this.stage = make("div", "stage", this.root);
    const canvas = make("canvas", "picture", this.stage);
    if (panel.of === null) canvas.tabIndex = 0;
    else canvas.classList.add("second");
    canvas.setAttribute("role", "img");
    this.surface = new Surface(canvas, new Room(film.width, film.height, panel.span, panel.keyGrid));
    this.objects = new Objects(this.stage);
    this.pin = make("div", "box pinned", this.stage);
    this.reference = make("div", "box reference", this.stage);
    if (panel.matched) this.matches = new MatchMarks(this.stage);
    this.note = make("div", "note", this.stage);
    this.dim(panel.span);
    if (film.times.length > 1) this.strip = new FilmStrip(panel, this.root, film);
    this.arrows = new Arrows(this.strip ? this.strip.root : this.stage);
    this.addScale();
    this.caption = make("div", "caption", this.root);
    this.heat = emptyHeat(panel.keyGrid);
    this.large = { values: new Float32Array(cellsOf(panel.keyGrid)) };
  }

  // Darkens what the network does not see: the centre crop cuts it off.
  dim({ top, bottom, left, right }) {
    const { width, height } = this.film, share = (part, whole) => `${(100 * part) / whole}%`;
    for (const [x, y, wide, high] of [[0, 0, width, top], [0, bottom, width, height - bottom], [0, top, left, bottom - top], [right, top, width - right, bottom - top]]) {
      if (wide <= 0 || high <= 0) continue;
      Object.assign(make("div", "dim", this.stage).style, { left: share(x, width), top: share(y, height), width: share(wide, width), height: share(high, height) });
    }
  }

  addScale() {
    const scale = make("div", "scale", this.root);
    this.low = make("span", "", scale);
    const ramp = make("div", "ramp", scale);
    this.ramp = make("canvas", "", ramp);
    this.ramp.width = 256;
    this.ramp.height = 1;
    this.bar = ramp;
    this.cut = make("div", "cut", ramp);
    this.cut.tabIndex = 0;
    this.cut.setAttribute("role", "slider");
    this.cut.setAttribute("aria-label", "Mark on the colour bar: threshold");
    this.cut.setAttribute("aria-valuemin", "0");
    this.cut.setAttribute("aria-valuemax", "1");
    this.cutText = make("span", "", this.cut);
    this.high = make("span", "", scale);
  }

  label(panel, look, table) {
    this.title.textContent = panel.title;
    this.prediction.textContent = panel.prediction;
    this.surface.canvas.setAttribute("aria-label", panel.of !== null ? panel.title :
      `${panel.title}. Arrow keys move the reference patch, Enter pins it, Escape goes back to the pin.${this.strip ? CLIP_KEYS : ""}`);
    this.strip?.root.setAttribute("aria-label", `${panel.title}: all frames`);
    this.small.label(panel);
    this.found = panel.objects;
    this.objects.draw(this.found, this.shown, this.film, this.masks);
    this.drawRamp(look, table);
  }

  // The colour bar, pale where nothing is shown, and its mark: of this look, and of this map where its
  // cells are counted.
  drawRamp(look, table) {
    const level = look.cut === "value" ? look.threshold : Math.min(1, ...this.heat.levels);
    if (this.ramped === look && this.rampedFrom === level) return;
    this.ramped = look;
    this.rampedFrom = level;
    const context = this.ramp.getContext("2d"), image = context.createImageData(256, 1);
    for (let k = 0; k < 256; k++) {
      image.data.set(table.subarray(3 * k, 3 * k + 3), 4 * k);
      image.data[4 * k + 3] = k / 255 >= level ? 255 : 56;
    }
    context.putImageData(image, 0, 0);
    this.cut.hidden = look.cut !== "value";
    this.cut.style.left = `${100 * look.threshold}%`;
    this.cut.setAttribute("aria-valuenow", look.threshold.toFixed(2));
    this.cutText.textContent = `threshold ${look.threshold.toFixed(2)}`;
  }

  // Computes the map shown large for a reference, and its heat. What the small ones need is kept in
  // `asked` for those, which are painted later.
  compute(panel, at, look) {
    const { values } = this.large, arithmetic = arithmeticOf(panel.arithmetic), t = momentOf(at.frame, this.film.times.length, panel.grid.frames);
    const i = (t * panel.grid.rows + at.row) * panel.grid.cols + at.col, own = ownPosition(panel, t, at);
    const chosen = arithmetic.choose(panel, i), { shown } = panel, over = overOf(panel, at);
    const { label, tag } = mapOver(panel, over, shown, chosen, i, values);
    this.large.tag = tag;
    this.asked = { i, chosen, shown, own, over };
    this.large.name = label;
    // The heading says how ranked maps were chosen, and they come first.
    const ranked = panel.heading && shown.split(" ")[0] === panel.names[0].split(" ")[0];
    this.large.label = ranked ? `${label} · ${panel.heading}` : label;
    normalise(values, look, this.heat, own);
    this.best = this.matches?.draw(panel, values, this.film);
    this.low.textContent = short(this.heat.low);
    this.high.textContent = short(this.heat.high);
    this.caption.textContent = `${this.large.label} · ${NORMALISATION[look.normalise]}${DISPLAYS[this.heat.display]}${shownWords(look)}`;
  }

  // Shows a frame of the clip on the large canvas; the heat is painted by `paintLarge`.
  show(frame) {
    if (this.shown === frame) return;
    this.shown = frame;
    this.surface.show(this.film.bitmaps[frame]);
    this.strip?.mark(frame);
    this.objects.draw(this.found ?? [], frame, this.film, this.masks);
  }

  paintLarge(look, table) {
    this.surface.paint(this.heat, momentOf(this.shown, this.film.times.length, this.heat.peaks.length), look, table);
  }

  // Puts a mark ("reference" or "pin") on its cell; the large canvas has it when its frame is shown.
  place(name, panel, cell) {
    this[name].hidden = cell.frame !== this.shown || !panel.referenced;
    if (!panel.referenced) return;
    outline(this[name], panel, cell, this.film);
    this.strip?.place(name, panel, cell);
  }

  // Marks the object that is the reference: of a mean its box stands in the place of the patch.
  takeObject(at, number, pinned) {
    this.objects.take(at.object ?? number);
    if (at.object !== null && at.object !== undefined) this.reference.hidden = this.objects.boxes.has(at.object);
    if (pinned !== null && this.objects.boxes.has(pinned)) this.pin.hidden = true;
  }

  drawArrows(panel, at, wanted) {
    const { values } = this.large, { grid, keyGrid, geometry } = panel, count = this.film.times.length;
    if (!wanted || this.heat.constant || !panel.referenced) return this.arrows.draw(null);
    // Of a picture that was held still only the moment that is drawn has ends.
    const size = keyGrid.rows * keyGrid.cols, seen = count === 1 ? values.subarray(0, size) : values;
    const best = strongest(seen, Math.min(wanted, MOST_ARROWS)), top = values[best[0]];
    const ends = best.map((j) => {
      const cell = { row: Math.floor((j % size) / keyGrid.cols), col: j % keyGrid.cols };
      const frame = frameOf(Math.floor(j / size), count, keyGrid.frames);
      return { ...this.spot(frame, centreOf(geometry, keyGrid, cell)), share: top > 0 ? Math.max(0, values[j] / top) : 0 };
    });
    this.arrows.draw(this.spot(at.frame, centreOf(geometry, grid, at)), ends);
  }

  // Where a spot of a frame lies under the arrows, in pixels of the page.
  spot(frame, point) {
    if (this.strip) return this.strip.spot(frame, point);
    this.wide ??= this.stage.offsetWidth / this.film.width;
    return { x: point.x * this.wide, y: point.y * this.wide };
  }

  forgetPlaces() {
    this.wide = null;
    this.strip?.forget();
  }
}
