// What a detector found, over the frame that is shown: boxes, masks, key points. Names are only ever text.

import { make } from "../../dom.js";
import { SVG } from "./arrows.js";

const LABELLED = 12; // of more objects the number stands in the box, and the words of the one under the pointer

// The smallest of the objects of a frame whose box holds a canvas pixel, or null.
export function objectAt(objects, point) {
  const area = (one) => (one.right - one.left) * (one.bottom - one.top);
  const holding = objects.filter((one) => one.frame === point.frame
    && point.x >= one.left && point.x < one.right && point.y >= one.top && point.y < one.bottom);
  return holding.reduce((best, one) => (best && area(best) <= area(one) ? best : one), null);
}

function shape(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  parent.append(made);
}

export class Objects {
  constructor(stage) {
    this.root = make("div", "objects", stage);
    this.root.setAttribute("aria-hidden", "true"); // the page lists them in words
    this.boxes = new Map();
  }

  draw(objects, frame, film, masks) {
    this.root.replaceChildren();
    this.boxes.clear();
    this.taken = undefined;
    const shown = objects.filter((one) => one.frame === frame), few = shown.length <= LABELLED;
    if (shown.length) this.root.append(Objects.shapes(shown, film, masks));
    for (const one of [...shown].reverse()) { // the best on top
      const box = make("div", "box found", this.root);
      box.style.left = `${(100 * one.left) / film.width}%`;
      box.style.top = `${(100 * one.top) / film.height}%`;
      box.style.width = `${(100 * (one.right - one.left)) / film.width}%`;
      box.style.height = `${(100 * (one.bottom - one.top)) / film.height}%`;
      box.style.borderColor = one.colour;
      const words = make("span", "", box, few ? one.text : String(one.number));
      this.boxes.set(one.number, { box, words, one, few });
    }
  }

  static shapes(shown, { width, height }, masks) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    for (const { outlines, points, colour } of shown) {
      for (const line of masks === "none" ? [] : outlines) {
        const d = `M${line.map((xy) => xy.join(" ")).join("L")}Z`;
        shape("path", { d, class: "under" }, svg);
        shape("path", { d, class: "mask", stroke: colour, fill: masks === "translucent" ? colour : "none" }, svg);
      }
      for (const [cx, cy] of points) shape("circle", { cx, cy, r: Math.max(width, height) / 160, fill: colour, class: "point" }, svg);
    }
    return svg;
  }

  // Marks the object that is the reference; null for none.
  take(number) {
    if (this.taken === number) return;
    for (const { box, words, one, few } of this.boxes.values()) {
      const own = one.number === number;
      box.classList.toggle("taken", own);
      if (!few) words.textContent = own ? one.text : String(one.number);
    }
    this.taken = number;
  }
}
