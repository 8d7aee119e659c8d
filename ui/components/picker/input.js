// Pointer and keyboard on one canvas. Handlers are assigned, so that none pile up.

import { objectAt } from "./drawing/objects.js";
import { middleOf, objectTaken, patchUnder } from "./places.js";

const ARROW_STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const FRAME_STEPS = { ",": -1, PageUp: -1, ".": 1, PageDown: 1, Home: -Infinity, End: Infinity };
const REFERENCE_STEPS = { "[": -1, "<": -1, "]": 1, ">": 1 };

// `frameOf` says which frame the canvas shows; a click on a frame of the strip also shows it large.
export function listen(picker, canvas, geometry, frameOf, onStrip = false) {
  const place = (event) => {
    const rect = canvas.getBoundingClientRect();
    picker.pointer = {
      frame: frameOf(),
      x: ((event.clientX - rect.left) * geometry.width) / rect.width,
      y: ((event.clientY - rect.top) * geometry.height) / rect.height,
      stamp: event.timeStamp,
    };
    picker.keyed = null;
  };
  canvas.onpointermove = (event) => { place(event); picker.schedule(); };
  // Where the browser has it, it comes at once; pointermove waits for the next frame.
  canvas.onpointerrawupdate = canvas.onpointermove;
  canvas.onclick = (event) => {
    place(event);
    const under = patchUnder(picker, picker.pointer), lead = picker.panels[0];
    // Beside the box of a head's block a click is on another object.
    const one = objectTaken(picker) ?? (under || lead.region === null ? null : objectAt(lead.objects, picker.pointer));
    const cell = one ? middleOf(picker, one) ?? { frame: one.frame, row: lead.pin.row, col: lead.pin.col } : under;
    if (onStrip) picker.step(frameOf());
    picker.outside = !cell;
    if (cell) picker.pinAt(cell, one);
    else picker.schedule(true);
  };
  if (onStrip) return;
  canvas.onpointerleave = () => picker.leave();
  canvas.onkeydown = (event) => onKey(picker, event);
  canvas.onblur = () => { picker.keyed = null; picker.schedule(); };
}

// The mark on the colour bar: dragged, or moved with the arrow keys.
export function listenThreshold(picker, { bar, cut }) {
  const at = (event) => {
    const { left, width } = bar.getBoundingClientRect();
    return Math.round(100 * Math.min(1, Math.max(0, (event.clientX - left) / width))) / 100;
  };
  const drag = (event, done) => {
    picker.keyStamp = event.timeStamp;
    picker.cutAt(at(event), done);
  };
  bar.onpointerdown = (event) => {
    if (cut.hidden || event.button) return;
    bar.setPointerCapture(event.pointerId);
    drag(event, false);
  };
  bar.onpointermove = (event) => { if (bar.hasPointerCapture(event.pointerId)) drag(event, false); };
  bar.onpointerup = (event) => { if (bar.hasPointerCapture(event.pointerId)) drag(event, true); };
  cut.onkeydown = (event) => {
    const step = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 }[event.key];
    if (!step) return;
    event.preventDefault();
    picker.cutAt(Math.round(100 * Math.min(1, Math.max(0, picker.look.threshold + step))) / 100, true);
  };
}

export function onKey(picker, event) {
  if (event.metaKey || (event.ctrlKey && !event.getModifierState("AltGraph"))) return;
  const { pin } = picker.panels[0], many = picker.film.times.length > 1;
  if (ARROW_STEPS[event.key]) {
    const [down, across] = ARROW_STEPS[event.key];
    moveKeyed(picker, event, { down, across, later: 0 });
  } else if (event.key === "Enter") {
    picker.pinAt(picker.keyed ?? pin);
  } else if (event.key === "Escape") {
    picker.keyed = null;
    picker.step(pin.frame);
  } else if (!many || !onTimeKey(picker, event)) return;
  event.preventDefault();
  picker.schedule(true);
}

function onTimeKey(picker, event) {
  if (event.key in FRAME_STEPS) {
    picker.player.pause();
    picker.step(picker.shown + FRAME_STEPS[event.key]);
  } else if (event.key in REFERENCE_STEPS) {
    moveKeyed(picker, event, { down: 0, across: 0, later: REFERENCE_STEPS[event.key] });
  } else if (event.key === " ") {
    picker.player.toggle();
  } else return false;
  return true;
}

// Moves the reference by cells and frames from where the keys, or the pin, have it.
function moveKeyed(picker, event, { down, across, later }) {
  const { grid, pin } = picker.panels[0], from = picker.keyed ?? pin;
  const within = (value, count) => Math.min(count - 1, Math.max(0, value));
  picker.keyed = {
    frame: within(from.frame + later, picker.film.times.length),
    row: within(from.row + down, grid.rows),
    col: within(from.col + across, grid.cols),
  };
  picker.pointer = null;
  picker.keyStamp = event.timeStamp;
}
