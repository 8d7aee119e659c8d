// The maps themselves: factors -> one row or channel map, rankings.
// The same arithmetic as models/pairwise.py, models/kernels.py and viz/channel_maps.py.

import { range } from "./heat.js";
const HALF_TABLE = (() => {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity)
      : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits & 32768 ? -size : size;
  }
  return table;
})();

export function halves(buffer, base, place) {
  const bits = new Uint16Array(buffer, base + place.offset, place.length / 2);
  const out = new Float32Array(bits.length);
  for (let k = 0; k < bits.length; k++) out[k] = HALF_TABLE[bits[k]] * place.peak;
  return out;
}

// A map that Python computed: float16 between its lowest and highest value.
export function heights(buffer, base, place) {
  return halves(buffer, base, { ...place, peak: 1 }).map((v) => place.low + place.span * v);
}

export function floats(buffer, base, place) {
  return new Float32Array(buffer, base + place.offset, place.length / 4).slice();
}

export const cellsOf = (grid) => grid.frames * grid.rows * grid.cols;

// f(x_i, x_j) / C(x) over the key grid for query position i, written to `out`. Where positions attend
// in groups, keys outside the group of i stay 0.
export function nonlocalRow(panel, i, out) {
  const { queries, keys } = panel.factors;
  const { width, groups, pairwise: { name, scale, softmax } } = panel;
  const count = out.length / groups, group = Math.floor((i * groups) / cellsOf(panel.grid)), first = group * count;
  const row = out.fill(0).subarray(first, first + count);
  if (name === "concatenation") {
    for (let j = 0; j < count; j++) row[j] = Math.max(0, queries[i] + keys[first + j]) / count;
    return out;
  }
  dots(queries, keys, i * width, first * width, width, scale, row);
  if (softmax) softmaxInPlace(row);
  else for (let j = 0; j < count; j++) row[j] /= count;
  return out;
}

// Dot products of one query with consecutive keys; four sums at a time keep the processor busy.
export function dots(queries, keys, from, first, width, scale, row) {
  const four = width - (width % 4);
  for (let j = 0, k = first; j < row.length; j++) {
    let a = 0, b = 0, c = 0, e = 0, d = 0;
    for (; d < four; d += 4, k += 4) {
      a += queries[from + d] * keys[k];
      b += queries[from + d + 1] * keys[k + 1];
      c += queries[from + d + 2] * keys[k + 2];
      e += queries[from + d + 3] * keys[k + 3];
    }
    for (; d < width; d++, k++) a += queries[from + d] * keys[k];
    row[j] = (a + b + c + e) * scale;
  }
}

function softmaxInPlace(row) {
  let top = -Infinity, total = 0;
  for (const v of row) if (v > top) top = v;
  for (let j = 0; j < row.length; j++) total += row[j] = Math.exp(row[j] - top);
  for (let j = 0; j < row.length; j++) row[j] /= total;
}

// (a, phi, first, out): adds k(a, phi_j) over consecutive phi to `out`. The kernel is the Taylor form
// sum_p alpha_p^2 (a b)^p, or the exact one.
export function adder(kernel) {
  if (kernel.terms) return taylorAdder(kernel.terms);
  if (kernel.linear) return linearAdder(1);
  return (a, phi, first, out) => {
    const inner = kernel.inner * a;
    for (let j = 0; j < out.length; j++) out[j] += kernel.outer * Math.exp(inner * phi[first + j]);
  };
}

function linearAdder(weight) {
  return (a, phi, first, out) => {
    const slope = weight * a;
    for (let j = 0; j < out.length; j++) out[j] += slope * phi[first + j];
  };
}

function taylorAdder(terms) {
  const order = Math.max(...terms.map(([power]) => power)), weights = new Float64Array(order + 1);
  for (const [power, weight] of terms) weights[power] += weight;
  if (order === 1 && weights[0] === 0) return linearAdder(weights[1]);
  return (a, phi, first, out) => {
    for (let j = 0; j < out.length; j++) {
      const x = a * phi[first + j];
      let sum = weights[order];
      for (let p = order - 1; p >= 0; p--) sum = sum * x + weights[p];
      out[j] += sum;
    }
  };
}

function addChannel(panel, channel, i, out) {
  const { theta, phi, positions } = panel.factors;
  panel.add(theta[channel * positions + i], phi, channel * positions, out);
}

function channelMap(panel, channel, i, out) {
  addChannel(panel, channel, i, out.fill(0));
  return out;
}

function groupMap(panel, group, i, out) {
  const sum = panel.factors.sum.fill(0), size = panel.channels / panel.groups;
  for (let c = group * size; c < (group + 1) * size; c++) addChannel(panel, c, i, sum);
  out.set(sum);
  return out;
}

// Scores of every channel at reference i, as viz/channel_maps.py has them.
const SCORES = {
  standout: (panel, i) => {
    const { theta, mean, spread, contrast, positions } = panel.factors;
    return mean.map((m, c) => ((theta[c * positions + i] - m) / spread[c]) * contrast[c]);
  },
  response: (panel, i) => {
    const { response, positions, mean } = panel.factors;
    return mean.map((_, c) => Math.abs(response[c * positions + i]));
  },
  contrast: (panel, i) => panel.factors.mean.map((_, c) => {
    const [low, high] = range(channelMap(panel, c, i, panel.factors.sum));
    return high - low;
  }),
};

export function chosenChannels(panel, i) {
  if (panel.still) return panel.chosen;
  if (panel.listed.length) return panel.listed;
  if (panel.ranking === "one per group") {
    const scores = SCORES.standout(panel, i), size = panel.channels / panel.groups, best = [];
    for (let g = 0; g < panel.groups; g++) {
      let top = g * size;
      for (let c = top + 1; c < (g + 1) * size; c++) if (scores[c] > scores[top]) top = c;
      best.push(top);
    }
    return best.slice(0, panel.count);
  }
  const scores = SCORES[panel.ranking](panel, i);
  return Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, panel.count);
}

// Names of the maps a CGNL panel can show: "channel 1".. by rank, then "group 0"..
export function mapNames(panel) {
  if (panel.kind !== "cgnl") return [];
  const count = panel.listed.length || Math.min(panel.count, panel.ranking === "one per group" ? panel.groups : panel.channels);
  return [
    ...Array.from({ length: count }, (_, k) => `channel ${k + 1}`),
    ...Array.from({ length: panel.groups }, (_, k) => `group ${k}`),
  ];
}

// The map called `name`, for the channels in use at reference i, written to `out`.
export function namedMap(panel, name, channels, i, out) {
  const number = Number(name.split(" ")[1]), grouped = name.startsWith("group");
  const which = grouped ? number : channels[number - 1];
  if (panel.still) out.set(panel.factors.maps[mapNames(panel).indexOf(name)]);
  else (grouped ? groupMap : channelMap)(panel, which, i, out);
  return { label: `${grouped ? "group" : "channel"} ${which}`, tag: `${grouped ? "g" : "c"}${which}` };
}
