// What the browser keeps of a session: one text of this site's own storage. It is told when Python asks, and
// written when Python gives another one; the empty text takes it away.

const PLACE = "nonlocal-viz";

function kept() {
  try {
    return localStorage.getItem(PLACE) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

function keep(text) {
  try {
    if (text) localStorage.setItem(PLACE, text);
    else localStorage.removeItem(PLACE);
  } catch {
    // full, or not allowed: then nothing is kept
  }
}

export default function ({ data, setTriggerValue }) {
  if (data.ask) setTriggerValue("found", { text: kept() });
  else if (data.text !== kept()) keep(data.text);
}
