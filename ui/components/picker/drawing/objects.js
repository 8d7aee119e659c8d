// The boxes of what a detector found, over the frame that is shown. Names are only ever text.

import { make } from "../../dom.js";

export class Objects {
  constructor(stage) {
    this.root = make("div", "objects", stage);
    this.root.setAttribute("aria-hidden", "true"); // the page lists them in words
  }

  draw(objects, frame, { width, height }) {
    this.root.replaceChildren();
    for (const one of objects) {
      if (one.frame !== frame) continue;
      const box = make("div", "box found", this.root);
      box.style.left = `${(100 * one.left) / width}%`;
      box.style.top = `${(100 * one.top) / height}%`;
      box.style.width = `${(100 * (one.right - one.left)) / width}%`;
      box.style.height = `${(100 * (one.bottom - one.top)) / height}%`;
      box.style.borderColor = one.colour;
      make("span", "", box, one.text);
    }
  }
}
