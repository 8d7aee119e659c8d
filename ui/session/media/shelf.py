"""Uploads that the server keeps for one browser, so that a refresh of the page finds them again.

A session ends with a refresh. What was uploaded is found again by a secret that the browser keeps,
for a while and as long as there is room; nobody else can ask for it.
"""

import re
import secrets
import threading
import time
from dataclasses import dataclass, field

import streamlit as st

from errors import counted
from ui import state
from ui.server import memory, settings
from ui.server.visitor import is_there, session_id
from viz.figure.recipe import recipe
from viz.media.footage import Footage

MOST_BYTES = 1 << 30
"""Of all browsers together; above, what was used longest ago goes first."""
MOST_FILES = recipe.MOST_REFERENCES
"""Of one browser: as many as there are pins at the most."""
HASH = re.compile("[0-9a-f]{64}")
"""A sha256 as addresses have it."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass
class _Held:
    footage: Footage
    size: int
    used: float


@dataclass
class Shelf:
    """What is kept, by (browser's secret, sha256), used longest ago first, and the sessions of each
    browser: while one of them is open, what is kept for it is in use."""

    held: dict[tuple[str, str], _Held] = field(default_factory=dict)
    sessions: dict[str, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, secret: str, footage: Footage, size: int) -> None:
        """Keep footage that takes ``size`` bytes; one that is larger than the shelf is not kept."""
        with self.lock:
            self.held.pop((secret, footage.sha256), None)
            self.held[secret, footage.sha256] = _Held(footage, size, time.monotonic())
            self._seen(secret)
            own = [key for key in self.held if key[0] == secret]
            for key in own[:-MOST_FILES]:
                del self.held[key]
            self._tidy()

    def find(self, secret: str, sha256: str) -> Footage | None:
        """Return what this browser uploaded, or None."""
        with self.lock:
            self._seen(secret)
            self._tidy()
            found = self.held.pop((secret, sha256), None)
            if found is None:
                return None
            found.used = time.monotonic()
            self.held[secret, sha256] = found
            return found.footage

    def tidy(self) -> None:
        """Drop what was kept for long enough after its browser's last page was gone."""
        with self.lock:
            self._tidy()

    def _seen(self, secret: str) -> None:
        self.sessions.setdefault(secret, set()).add(session_id())

    def forget(self, secret: str) -> None:
        """Drop everything of a browser."""
        with self.lock:
            for key in [key for key in self.held if key[0] == secret]:
                del self.held[key]

    def _tidy(self) -> None:
        now, total = time.monotonic(), sum(one.size for one in self.held.values())
        self.sessions = {
            secret: {one for one in ids if is_there(one)}
            for secret, ids in self.sessions.items()
            if any(key[0] == secret for key in self.held)
        }
        for key, one in list(self.held.items()):
            if self.sessions.get(key[0]):
                one.used = now
            if total > MOST_BYTES or now - one.used > settings.current().keep_uploads_s:
                total -= one.size
                del self.held[key]


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf:
    made = Shelf()
    memory.LETTING_GO.append(made.tidy)
    return made


def kept_for() -> str:
    """Say how long uploads are kept."""
    seconds = settings.current().keep_uploads_s
    return counted(seconds / 3600, "hour") if seconds >= 3600 else counted(seconds, "second")


def secret() -> str:
    """Return this browser's secret; a new one until the browser has told its own."""
    return state.BROWSER.once(secrets.token_urlsafe)


def recognise(text: object) -> None:
    """Take the secret that a browser has kept; anything that is none is passed over."""
    if isinstance(text, str) and _SECRET.fullmatch(text):
        state.BROWSER.set(text)


def keep(footage: Footage, size: int) -> None:
    """Keep an upload of ``size`` bytes for this browser."""
    pixels = 0 if footage.is_clip else 3 * footage.width * footage.height
    _shelf().keep(secret(), footage, max(size, pixels))


def find(sha256: str) -> Footage | None:
    """Return what this browser uploaded before, by its sha256, or None."""
    return _shelf().find(secret(), sha256)


def forget() -> None:
    """Drop what is kept for this browser."""
    _shelf().forget(secret())
