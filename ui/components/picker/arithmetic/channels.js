// Products of theta and phi by channel and by group, and which channels rank first. The same arithmetic as
// viz/attention/kinds/channels.py and models/blocks/kernels.py.

import { cellsOf } from "../drawing/geometry.js";
import { range } from "../drawing/heat.js";

// (a, phi, first, out): adds k(a, phi_j) over consecutive phi to `out`. The kernel is the Taylor form
// sum_p alpha_p^2 (a b)^p, or the exact one.
function adder(kernel) {
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
  const { theta, phi } = panel.arrays, { positions } = panel;
  panel.add(theta[channel * positions + i], phi, channel * positions, out);
}

function channelMap(panel, channel, i, out) {
  addChannel(panel, channel, i, out.fill(0));
  return out;
}

function groupMap(panel, group, i, out) {
  const { channels, groups } = panel.options, sum = panel.sum.fill(0), size = channels / groups;
  for (let c = group * size; c < (group + 1) * size; c++) addChannel(panel, c, i, sum);
  out.set(sum);
}

const HALF_ROUNDING = 2 ** -11; // of theta, which comes as float16

// Scores of every channel at reference i. What is constant but for rounding does not stand out.
const SCORES = {
  standout: ({ arrays: { theta, mean, spread, contrast }, positions }, i) => mean.map((m, c) =>
    (spread[c] > HALF_ROUNDING * Math.abs(m) ? ((theta[c * positions + i] - m) / spread[c]) * contrast[c] : 0)),
  response: ({ arrays: { response, mean }, positions }, i) => mean.map((_, c) => Math.abs(response[c * positions + i])),
  contrast: (panel, i) => panel.arrays.mean.map((_, c) => {
    const [low, high] = range(channelMap(panel, c, i, panel.sum));
    return high - low;
  }),
};

function bestPerGroup(scores, groups) {
  const size = scores.length / groups;
  return Array.from({ length: groups }, (_, g) => {
    let top = g * size;
    for (let c = top + 1; c < (g + 1) * size; c++) if (scores[c] > scores[top]) top = c;
    return top;
  });
}

export const channels = {
  // What is made once for a panel.
  prepare(panel) {
    const positions = cellsOf(panel.keyGrid);
    return Object.assign(panel, { positions, sum: new Float64Array(positions), add: adder(panel.options.kernel) });
  },
  // The channels in use at reference i, best first.
  choose(panel, i) {
    const { listed, ranking, groups, count } = panel.options;
    if (listed.length) return listed;
    if (ranking === "one per group") return bestPerGroup(SCORES.standout(panel, i), groups).slice(0, count);
    const scores = SCORES[ranking](panel, i);
    return Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count);
  },
  // The map called `name`, for the channels in use at reference i, written to `out`.
  map(panel, name, chosen, i, out) {
    const fixed = name.startsWith("c") && !name.includes(" ");
    const [word, text] = fixed ? ["channel", name.slice(1)] : name.split(" "), number = Number(text), grouped = word === "group";
    const which = grouped || fixed ? number : chosen[number - 1];
    if (grouped) groupMap(panel, which, i, out);
    else channelMap(panel, which, i, out);
    return { label: `${word} ${which}`, tag: `${grouped ? "g" : "c"}${which}` };
  },
};
