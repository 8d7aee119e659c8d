// The best matches in a second picture: numbered boxes, best first.

import { make } from "../../dom.js";
import { outline } from "./geometry.js";
export const MOST_MATCHES = 3;

// Positions of up to `count` highest values over the first moment of a grid, none of which touch: the same as
// viz/attention/matches.py.
export function apart(values, { rows, cols }, count) {
  const found = [], size = rows * cols;
  const touches = (j) => found.some((k) => Math.abs(Math.floor(j / cols) - Math.floor(k / cols)) <= 1 && Math.abs((j % cols) - (k % cols)) <= 1);
  while (found.length < count) {
    let best = -1;
    for (let j = 0; j < size; j++) if ((best < 0 || values[j] > values[best]) && Number.isFinite(values[j]) && !touches(j)) best = j;
    if (best < 0) break;
    found.push(best);
  }
  return found;
}

export class MatchMarks {
  constructor(parent) {
    this.boxes = Array.from({ length: MOST_MATCHES }, (_, k) => {
      const box = make("div", "box match", parent);
      make("span", "", box, String(k + 1));
      box.hidden = true;
      return box;
    });
  }

  // Marks the best cells of a map, and returns their positions.
  draw(panel, values, film) {
    const found = apart(values, panel.keyGrid, MOST_MATCHES), { cols } = panel.keyGrid;
    this.boxes.forEach((box, k) => {
      box.hidden = k >= found.length;
      if (!box.hidden) outline(box, { geometry: panel.geometry, grid: panel.keyGrid }, { row: Math.floor(found[k] / cols), col: found[k] % cols }, film);
    });
    return found;
  }
}
