// Values -> heat in [0, 1], and what 0 and 1 stand for: the same as viz/rendering/heat.py.
// Ranks and the highest values, as viz/rendering/marks.py has them.

import { cellsOf } from "./geometry.js";
const ROUNDING = 5e-6; // viz/rendering/heat.py: spread up to which a map is float32 noise on a constant

// Lowest and highest of the values that are numbers, from `first` up to `last`.
export function range(values, first = 0, last = values.length) {
  let low = Infinity, high = -Infinity;
  for (let j = first; j < last; j++) {
    const v = values[j];
    if (v < low && v > -Infinity) low = v;
    if (v > high && v < Infinity) high = v;
  }
  return [low, high];
}

// Room for a heat over a grid, written anew by `normalise`; `peaks` are the largest of each moment.
export function emptyHeat(grid) {
  return { values: new Float32Array(cellsOf(grid)), peaks: new Float32Array(grid.frames), low: 0, high: 0, constant: true };
}

// Scales over all moments ("clip"), each moment for itself ("frame"), or between fixed values. What is
// constant, or has no number, is marked, not divided.
export function normalise(values, look, heat) {
  const moments = heat.peaks.length, size = values.length / moments, all = range(values);
  const whole = all[0] > all[1] || look.normalise === "clip" ? all : look.normalise === "fixed" ? look.fixed_range : null;
  heat.low = Infinity;
  heat.high = -Infinity;
  heat.constant = true;
  for (let m = 0; m < moments; m++) {
    const first = m * size, [low, high] = whole ?? range(values, first, first + size);
    heat.low = Math.min(heat.low, low);
    heat.high = Math.max(heat.high, high);
    const span = high - low, noise = look.normalise === "fixed" ? 0 : ROUNDING * Math.max(Math.abs(low), Math.abs(high));
    heat.peaks[m] = 0;
    if (!(span > noise)) heat.values.fill(0, first, first + size);
    else {
      heat.constant = false;
      heat.peaks[m] = scale(values, heat.values, first, first + size, low, span);
    }
  }
  if (heat.low > heat.high) heat.low = heat.high = 0;
  return heat;
}

// Writes (value - low) / span in [0, 1]; what is not a number counts as the least. Returns the largest.
export function scale(values, out, first, last, low, span) {
  let peak = 0;
  for (let j = first; j < last; j++) {
    const share = (values[j] - low) / span, kept = share > 1 ? 1 : share > 0 ? share : 0;
    out[j] = kept;
    if (kept > peak) peak = kept;
  }
  return peak;
}

export function rankOf(values, position) {
  let above = 0;
  for (const v of values) if (v > values[position]) above++;
  return above + 1;
}

// Positions of the `count` highest values, highest first, ties by position.
export function strongest(values, count) {
  const best = [];
  for (let j = 0; j < values.length; j++) {
    const v = values[j];
    if (best.length === count ? !(v > values[best[count - 1]]) : v !== v) continue;
    let k = best.length;
    while (k > 0 && v > values[best[k - 1]]) k--;
    best.splice(k, 0, j);
    if (best.length > count) best.pop();
  }
  return best;
}
