// A ranked map that is kept: the same channel for every reference.

import { KEPT } from "./small_maps.js";

// The panel whose ranked map can be kept, with its view, or null.
export function keepable(picker) {
  const k = picker.panels.findIndex((panel) => panel.part && (KEPT.test(panel.shown) || panel.shown.startsWith(`${panel.part} `)));
  return k < 0 ? null : { panel: picker.panels[k], view: picker.views[k] };
}

// Offers to keep the map that is shown large, or says that it is kept.
export function sayKeep(picker) {
  const found = keepable(picker), on = Boolean(found && KEPT.test(found.panel.shown));
  picker.keeping.hidden = !found;
  if (!found) return;
  const words = `Keep ${found.view.large.tag}`;
  if (picker.keepText.textContent !== words) picker.keepText.textContent = words;
  picker.keep.checked = on;
}

// Keeps the map that is shown large, or goes back to the one that ranks first.
export function keepChannel(picker, on) {
  const { panel, view } = keepable(picker), name = on ? view.large.tag : `${panel.part} 1`;
  if (panel.arithmetic !== "static") panel.shown = name;
  for (const one of picker.views) one.painted = null;
  picker.send("focus", name);
  picker.schedule();
}
