// The small maps of a network whose references have several: one button a map, over all frames of a clip.

import { make } from "../../dom.js";
import { mapOver } from "./object_means.js";
import { cellsOf, momentOf } from "./geometry.js";
import { emptyHeat, normalise } from "./heat.js";
import { Room, Surface } from "./surface.js";
export const KEPT = /^[a-z][0-9]+$/; // a map by its number, which stays when the pointer moves
const THUMB_WIDTH = 112, MINI_WIDTH = 64;

export class SmallMaps {
  // `choose` gets the name of the map that is clicked.
  constructor(panel, parent, film, choose) {
    this.buttons = [];
    const { names } = panel, many = film.bitmaps.length > 1;
    if (!names.length) return;
    const room = Room.scaled(panel, film, many ? MINI_WIDTH : THUMB_WIDTH);
    const frames = film.bitmaps.map((bitmap) => {
      const surface = new Surface(document.createElement("canvas"), room);
      surface.show(bitmap);
      return surface;
    });
    this.heat = emptyHeat(panel.keyGrid);
    this.values = new Float32Array(cellsOf(panel.keyGrid));
    // One strip a sort of map: ranked ones first, then groups or heads, with what is made of all of them.
    const wordOf = (name) => name.split(" ")[0], ranked = panel.heading ? wordOf(names[0]) : null;
    for (const own of [true, false]) {
      const some = names.filter((name) => (wordOf(name) === ranked || KEPT.test(name)) === own);
      if (!some.length) continue;
      const strip = make("div", "strip", parent), heading = make("div", "heading", strip);
      if (own) this.heading = heading;
      else heading.textContent = `${panel.title}: ${panel.divisions}`;
      const row = make("div", many ? "thumbs rows" : "thumbs", strip);
      for (const name of some) this.buttons.push(SmallMaps.button(name, row, frames, choose));
    }
  }

  static button(name, parent, frames, choose) {
    const button = make("button", "thumb", parent);
    button.type = "button";
    button.onclick = () => choose(name);
    const surfaces = frames.map((frame) => {
      const surface = new Surface(make("canvas", "", button), frame.room);
      surface.share(frame);
      return surface;
    });
    return { name, button, surfaces, text: make("span", "", button) };
  }

  label(panel) {
    if (this.heading) this.heading.textContent = `${panel.title}: ${panel.heading}`;
  }

  // Paints one map over all frames; `asked` says for which reference, ranked maps, and which is shown large.
  paint({ name, button, surfaces, text }, panel, { i, chosen, shown, own, over }, look, table) {
    const { label, tag } = mapOver(panel, over, name, chosen, i, this.values);
    const heat = normalise(this.values, look, this.heat, own), moments = heat.peaks.length;
    surfaces.forEach((surface, number) => surface.paint(heat, momentOf(number, surfaces.length, moments), look, table));
    if (text.textContent !== tag) {
      text.textContent = tag;
      button.setAttribute("aria-label", `Show ${label} large`);
    }
    const pressed = String(name === shown);
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
}
