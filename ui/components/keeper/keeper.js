// What the browser keeps of a session, in this site's own storage: a text for all its pages, and one of this tab
// alone, which ends with it. They are told to a session that asks, and written when Python gives others; the empty
// text takes one away, none at all leaves it as it is.

const PLACE = "nonlocal-viz";

function kept(storage) {
  try {
    return window[storage].getItem(PLACE) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

function keep(storage, text) {
  try {
    if (text) window[storage].setItem(PLACE, text);
    else window[storage].removeItem(PLACE);
  } catch {
    // full, or not allowed: then nothing is kept
  }
}

let session = null;
const last = { localStorage: "", sessionStorage: "" };

export default function ({ data, setTriggerValue }) {
  if (data.session !== session) {
    const text = kept("localStorage"), view = kept("sessionStorage");
    // A browser that has kept nothing has nothing to tell: its first view is drawn once.
    if (data.ask && (text || view)) return setTriggerValue("found", { text, view });
    session = data.session;
    last.localStorage = text;
    last.sessionStorage = view;
  }
  // Only what this page has changed: another one of this browser may have kept more since.
  for (const [storage, text] of [["localStorage", data.text], ["sessionStorage", data.view]]) {
    if (text != null && text !== last[storage]) keep(storage, (last[storage] = text));
  }
}
