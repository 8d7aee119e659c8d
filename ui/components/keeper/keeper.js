// What the browser keeps of a session: one text of this site's own storage. It is told to a session that asks
// for it, and written when Python gives another one; the empty text takes it away.

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

let session = null;
let last = "";

export default function ({ data, setTriggerValue }) {
  if (data.session !== session) {
    const before = kept();
    // A browser that has kept nothing has nothing to tell: its first view is drawn once.
    if (data.ask && before) return setTriggerValue("found", { text: before });
    session = data.session;
    last = before;
  }
  // Only what this page has changed: another one of this browser may have kept more since.
  if (data.text !== last) keep((last = data.text));
}
