// Tells the server where a slider is while it is dragged: one value at a time, the newest once the last is answered.

import { watchSliders } from "../sliders.js";
const PATIENCE_MS = 1000; // an answer that never comes holds nothing up
let next = null, since = 0, send = null;

function go() {
  if (!next || (since && performance.now() - since < PATIENCE_MS)) return;
  since = performance.now();
  const value = next;
  next = null;
  send("moved", value);
}

export default function ({ data, setTriggerValue }) {
  send = setTriggerValue;
  since = 0;
  watchSliders(data.names, (name, value) => {
    next = { name, value };
    go();
  });
  go();
}
