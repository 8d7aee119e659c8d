// What the picker says: the readout, the note on a picture, and what tests and benchmarks read.

import { cellsOf, centreOf, momentOf, nearestCell } from "./drawing/geometry.js";
import { rankOf } from "./drawing/heat.js";
import { seconds } from "./drawing/strip.js";
import { short } from "./drawing/panel_view.js";
import { linkedCell } from "./places.js";

export const nameOf = ({ frame, row, col }, film) => (film.times.length > 1 ? `${frame},${row},${col}` : `${row},${col}`);

export function noteOf(panel, view, awaited) {
  const words = [];
  if (view.heat.constant) words.push("This map is constant: nothing to tell apart, so nothing is shown.");
  if (panel.still && awaited) words.push(`Computing the map of frame ${awaited.frame}, row ${awaited.row}, column ${awaited.col}.`);
  else if (panel.still) words.push(`${cellsOf(panel.grid).toLocaleString("en")} positions, too many to follow the pointer: click to compute a map.`);
  return words.join(" ");
}

// Value and rank of one cell in the map shown large.
function reading(panel, view, cell) {
  const { x, y } = centreOf(panel.geometry, panel.grid, cell), { values, name } = view.large, { keyGrid } = panel;
  const key = nearestCell(panel.geometry, keyGrid, x, y), t = momentOf(cell.frame, view.film.times.length, keyGrid.frames);
  const position = (t * keyGrid.rows + key.row) * keyGrid.cols + key.col;
  return `${name} ≈ ${short(values[position])} (rank ${rankOf(values, position)} of ${values.length})`;
}

// The best match in a second picture, and its value.
function matching({ keyGrid }, { best, large }) {
  if (!best.length) return `${large.name}: no match`;
  const row = Math.floor(best[0] / keyGrid.cols), col = best[0] % keyGrid.cols;
  return `${large.name}: best match row ${row} column ${col} ≈ ${short(large.values[best[0]])}`;
}

export function tell(picker, cell, moved) {
  const { film, original, panels, views } = picker, lead = panels[0];
  const { x, y } = picker.pointer ?? centreOf(lead.geometry, lead.grid, cell);
  const px = Math.floor((x * original.width) / film.width), py = Math.floor((y * original.height) / film.height);
  const when = film.times.length > 1 ? `frame ${cell.frame} (${seconds(film.times[cell.frame])}) ` : "";
  const words = panels.flatMap((panel, k) => {
    if (panel.still && moved && !picker.hold.checked) return `${views[k].large.name}: click to compute`;
    if (panel.matched) return matching(panel, views[k]);
    return panel.of === null ? reading(panel, views[k], linkedCell(picker, panel, cell)) : [];
  });
  picker.readout.textContent = [`${when}row ${cell.row} column ${cell.col} (x ${px} y ${py})`, ...words].join("  ·  ");
  if (picker.speak) picker.live.textContent = picker.readout.textContent;
  picker.speak = false;
}

// What tests and benchmarks read: the cell drawn, how long drawing took, and from event to drawn.
export function report(picker, cell, started, painted) {
  const ended = performance.now(), { root, film, player } = picker;
  const stamp = picker.pointer?.stamp ?? picker.keyStamp ?? started;
  const detail = { cell, painted, draw: ended - started, latency: ended - stamp, draws: ++picker.draws };
  if (film.times.length > 1) Object.assign(root.dataset, { frame: String(picker.shown), playing: String(player.playing) });
  Object.assign(root.dataset, { cell: detail.cell, drawMs: detail.draw.toFixed(2), draws: String(detail.draws) });
  root.dispatchEvent(new CustomEvent("picker-drawn", { detail, bubbles: true, composed: true }));
}
