// The small maps of a CGNL network: one button a channel and a group, over all frames of a clip.

import { make } from "../dom.js";
import { momentOf } from "./geometry.js";
import { emptyHeat, normalise } from "./heat.js";
import { cellsOf, mapNames, namedMap } from "./maths.js";
import { Room, Surface } from "./surface.js";
const THUMB_WIDTH = 112, MINI_WIDTH = 64;

export class SmallMaps {
  // `choose` gets the name of the map that is clicked.
  constructor(panel, parent, film, choose) {
    this.buttons = [];
    const names = mapNames(panel), many = film.bitmaps.length > 1;
    if (!names.length) return;
    const room = Room.scaled(panel, film, many ? MINI_WIDTH : THUMB_WIDTH);
    const frames = film.bitmaps.map((bitmap) => {
      const surface = new Surface(document.createElement("canvas"), room);
      surface.show(bitmap);
      return surface;
    });
    this.heat = emptyHeat(panel.keyGrid);
    this.values = new Float32Array(cellsOf(panel.keyGrid));
    for (const kind of ["channel", "group"]) {
      const strip = make("div", "strip", parent), heading = make("div", "heading", strip);
      if (kind === "channel") this.heading = heading;
      else heading.textContent = `${panel.title}: groups (sum of each group's ${panel.channels / panel.groups} channel maps)`;
      const row = make("div", many ? "thumbs rows" : "thumbs", strip);
      for (const name of names.filter((n) => n.startsWith(kind))) this.buttons.push(SmallMaps.button(name, row, frames, choose));
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
    if (this.heading) this.heading.textContent = `${panel.title}: ${panel.how}`;
  }

  // Paints one map over all frames; `asked` says for which reference and channels.
  paint({ name, button, surfaces, text }, panel, { i, channels, focus }, look, table) {
    const { label, tag } = namedMap(panel, name, channels, i, this.values);
    const heat = normalise(this.values, look, this.heat), moments = heat.peaks.length;
    surfaces.forEach((surface, number) => surface.paint(heat, momentOf(number, surfaces.length, moments), look, table));
    if (text.textContent !== tag) {
      text.textContent = tag;
      button.setAttribute("aria-label", `Show ${label} large`);
    }
    const pressed = String(name === focus);
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
}
