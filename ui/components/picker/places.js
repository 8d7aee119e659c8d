// From the pointer to cells: what is under it, which object it takes, the same place in other networks.

import { cellUnder, centreOf, nearestCell } from "./drawing/geometry.js";
import { objectAt } from "./drawing/objects.js";

// The lead network's cell under a canvas pixel of a frame, null outside its view.
export function patchUnder(picker, point) {
  const cell = point && cellUnder(picker.panels[0].geometry, picker.panels[0].grid, point.x, point.y);
  return cell && { frame: point.frame, ...cell };
}

// The object under the pointer, where the pointer takes objects, or null.
export function objectTaken(picker) {
  if (picker.taking === "patch" || picker.keyed || !picker.pointer) return null;
  return objectAt(picker.panels[picker.finder].objects, picker.pointer);
}

// The lead network's cell under the middle of an object, as the mean over it where that is taken. A head's
// block saw one object only: null for another.
export function middleOf(picker, one) {
  const [{ geometry, grid, region }] = picker.panels;
  if (region !== null && one.number !== region) return null;
  const cell = nearestCell(geometry, grid, (one.left + one.right) / 2, (one.top + one.bottom) / 2);
  return { frame: one.frame, ...cell, object: picker.taking === "mean" ? one.number : null };
}

// The cell of `panel` under the middle of a cell of the lead network, on the same frame. What is pinned
// is a pixel, which need not be the middle: its own cell in each network came with the panels.
export function linkedCell(picker, panel, cell) {
  const lead = picker.panels[0];
  if (panel === lead) return cell;
  if (panel.of !== null) return linkedCell(picker, picker.panels[panel.of], cell);
  if (cell === lead.pin) return panel.pin;
  const { x, y } = centreOf(lead.geometry, lead.grid, cell);
  return { frame: cell.frame, ...nearestCell(panel.geometry, panel.grid, x, y), object: cell.object };
}
