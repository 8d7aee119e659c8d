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

// Room for a heat over a grid, written anew by `normalise`; `peaks` are the largest of each moment, `levels`
// where each is cut.
export function emptyHeat(grid) {
  return {
    values: new Float32Array(cellsOf(grid)), peaks: new Float32Array(grid.frames), levels: new Float32Array(grid.frames),
    low: 0, high: 0, constant: true, display: "linear",
  };
}

// How a map is scaled: the look's display where the map allows it. `own` is the reference's own position, -1 for none.
export function displayOf(values, look, own) {
  const wanted = look.display ?? "linear", [low, high] = range(values);
  if (wanted === "log") return low >= 0 && high > 0 ? "log" : "linear";
  if (wanted === "linear" || own < 0 || values.length < 2) return "linear";
  return wanted !== "auto" || towers(values, own) ? "without-reference" : "linear";
}

const TOWERS = 2; // viz/rendering/heat.py

function towers(values, own) {
  const here = values[own];
  let least = Infinity, most = -Infinity;
  for (let j = 0; j < values.length; j++) {
    const v = values[j];
    if (j === own || !Number.isFinite(v)) continue;
    if (v < least) least = v;
    if (v > most) most = v;
  }
  if (!Number.isFinite(here) || least > most) return false;
  const low = Math.min(least, here);
  return here > low && here - low >= TOWERS * (most - low);
}

// The values that are scaled: NaN where none is shown.
function displayed(values, display, own) {
  if (display === "linear") return values;
  if (display === "log") return Float32Array.from(values, (v) => (v > 0 ? Math.log10(v) : NaN));
  const out = Float32Array.from(values);
  out[own] = NaN;
  return out;
}

function endsOf(look, display, all) {
  return display === "log" ? look.fixed_range.map((end) => (end > 0 ? Math.log10(end) : all[0])) : look.fixed_range;
}

// Scales a map and finds where it is cut: at the threshold, at the top share of the cells, or where the fewest
// cells hold a share of the sum.
export function normalise(values, look, heat, own = -1) {
  heat.display = displayOf(values, look, own);
  scaled(displayed(values, heat.display, own), look, heat);
  if (heat.display === "log" && !heat.constant) [heat.low, heat.high] = [10 ** heat.low, 10 ** heat.high];
  setLevels(values, look, heat, own);
  return heat;
}

const NOTHING = 2; // a level that no heat reaches

function setLevels(values, look, heat, own) {
  heat.levels.fill(Math.fround(look.threshold));
  if (heat.constant || !look.cut || look.cut === "value") return;
  const weights = Float64Array.from(values, (v) => (Number.isFinite(v) ? v : 0));
  if (look.cut === "mass" && weights.some((v) => v < 0)) return;
  if (heat.display === "without-reference") weights[own] = 0;
  const size = values.length / heat.levels.length;
  if (look.normalise !== "frame") heat.levels.fill(levelOf(heat.values, weights, look));
  else heat.levels.forEach((_, m) => {
    heat.levels[m] = levelOf(heat.values.subarray(m * size, (m + 1) * size), weights.subarray(m * size, (m + 1) * size), look);
  });
}

// Of cells that are all alike none is among the highest.
function levelOf(heat, weights, { cut, share }) {
  if (heat.every((v) => v === heat[0])) return NOTHING;
  const order = Array.from(heat.keys()).sort((a, b) => heat[b] - heat[a] || a - b);
  let count = cut === "area" ? Math.ceil(share * heat.length - 1e-9) : 0;
  if (cut === "mass" && share > 0) {
    const wanted = share * weights.reduce((sum, v) => sum + v, 0) * (1 - 1e-12);
    for (let held = 0; count < order.length && (count === 0 || held < wanted); count++) held += weights[order[count]];
  }
  return count ? heat[order[count - 1]] : NOTHING;
}

// Scales over all moments ("clip"), each moment for itself ("frame"), or between fixed values. What is
// constant, or has no number, is marked, not divided.
function scaled(values, look, heat) {
  const moments = heat.peaks.length, size = values.length / moments, all = range(values);
  const counted = look.normalise === "fixed" && look.cut && look.cut !== "value";
  const whole = all[0] > all[1] || look.normalise === "clip" ? all : look.normalise === "fixed" ? endsOf(look, heat.display, all) : null;
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
      heat.peaks[m] = scale(values, heat.values, first, first + size, low, span, counted ? BEYOND : 0);
    }
  }
  if (heat.low > heat.high) heat.low = heat.high = 0;
  return heat;
}

const BEYOND = 1e-4; // viz/rendering/heat.py

// Writes (value - low) / span in [0, 1], and up to `beyond` outside of it, in the order of the values; what
// is not a number counts as the least. Returns the largest.
export function scale(values, out, first, last, low, span, beyond = 0) {
  let peak = 0;
  for (let j = first; j < last; j++) {
    const share = (values[j] - low) / span;
    let kept = share > 1 ? 1 : share > 0 ? share : 0;
    if (beyond && share !== kept) {
      const over = Math.min(Math.abs(share - kept), 1e300), part = share === share ? over / (1 + over) : 1;
      kept += share > 1 ? beyond * part : -beyond * part;
    }
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
