// Pointer and keyboard on one canvas. Handlers are assigned, so that none pile up.

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
    const cell = picker.under(picker.pointer);
    if (onStrip) picker.step(frameOf());
    if (cell) picker.pinAt(cell);
  };
  if (onStrip) return;
  canvas.onpointerleave = () => picker.leave();
  canvas.onkeydown = (event) => onKey(picker, event);
  canvas.onblur = () => { picker.keyed = null; picker.schedule(); };
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
