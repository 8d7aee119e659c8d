// Streamlit's sliders tell the server where they are when they are let go. This tells what is on the page while
// they are dragged: `told` gets the name and the value of each slider of the page that is one of `names`.

let held = null, asked = 0;
const watched = { names: [], told: () => {} };

const rootOf = (name) => document.querySelector(`.st-key-${CSS.escape(name)}`);

function read() {
  asked = 0;
  const value = Number(held && rootOf(held.name)?.querySelector("input[type=range]")?.value);
  if (!held || !Number.isFinite(value) || value === held.value) return;
  held.value = value;
  watched.told(held.name, value);
}

// React has set the slider's value by the next frame.
const ask = () => { if (held && !asked) asked = requestAnimationFrame(read); };

function press(event) {
  const name = watched.names.find((one) => rootOf(one)?.contains(event.target));
  held = name ? { name, value: null } : null;
  ask();
}

export function watchSliders(names, told) {
  if (!watched.names.length) {
    document.addEventListener("pointerdown", press, true);
    document.addEventListener("pointermove", ask, true);
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { held = null; }, true);
  }
  Object.assign(watched, { names, told });
}
