// The film strip of one network: every frame with the heat of its moment, and the marks on them.

import { make } from "../../dom.js";
import { momentOf, outline } from "./geometry.js";
import { Room, Surface } from "./surface.js";
// Least width of a frame on the page and width of its canvas, by the number of frames.
const FRAME_SIZES = [[8, 104, 176], [16, 96, 160], [32, 80, 128], [Infinity, 68, 112]];

export const seconds = (time) => `${time.toFixed(2)} s`;

export class FilmStrip {
  constructor(panel, parent, film) {
    this.film = film;
    const count = film.times.length, [, least, width] = FRAME_SIZES.find(([most]) => count <= most);
    this.root = make("div", "film", parent);
    this.root.style.setProperty("--least", `${least}px`);
    this.root.setAttribute("role", "group");
    const room = Room.scaled(panel, film, width);
    this.frames = film.times.map((time, number) => {
      const root = make("figure", "frame", this.root), stage = make("div", "stage", root);
      const canvas = make("canvas", "still", stage);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `frame ${number}, ${seconds(time)}`);
      const surface = new Surface(canvas, room);
      surface.show(film.bitmaps[number]);
      const text = make("figcaption", "", root, `${number} · ${seconds(time)}`);
      return { root, stage, canvas, surface, text };
    });
    this.pin = make("div", "box pinned");
    this.reference = make("div", "box reference");
  }

  paint(heat, look, table) {
    const count = this.frames.length, moments = heat.peaks.length;
    this.frames.forEach(({ surface }, number) => surface.paint(heat, momentOf(number, count, moments), look, table));
  }

  // Marks the frame shown large.
  mark(shown) {
    if (this.shown === shown) return;
    this.frames[this.shown]?.root.removeAttribute("aria-current");
    this.frames[shown].root.setAttribute("aria-current", "true");
    this.shown = shown;
  }

  place(name, panel, cell) {
    const { stage } = this.frames[cell.frame];
    if (this[name].parentElement !== stage) stage.append(this[name]);
    outline(this[name], panel, cell, this.film);
  }

  // Where a spot of a frame, in canvas pixels, lies on the strip, in pixels of the page. Measured
  // once until `forget`.
  spot(number, { x, y }) {
    this.places ??= this.frames.map(({ stage }) => {
      const { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = stage;
      return { left, top, width, height };
    });
    const { left, top, width, height } = this.places[number];
    return { x: left + (x * width) / this.film.width, y: top + (y * height) / this.film.height };
  }

  forget() {
    this.places = null;
  }
}
