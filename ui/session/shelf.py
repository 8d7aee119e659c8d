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

from ui import state
from viz.media.footage import Footage

KEPT_H = 4
"""Hours after its last use that an upload is kept."""
MOST_BYTES = 1 << 30
"""Of all browsers together; above, what was used longest ago goes first."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass
class _Held:
    footage: Footage
    size: int
    used: float


@dataclass
class Shelf:
    """What is kept, by (browser's secret, sha256), used longest ago first."""

    held: dict[tuple[str, str], _Held] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, secret: str, footage: Footage, size: int) -> None:
        """Keep footage that takes ``size`` bytes; one that is larger than the shelf is not kept."""
        with self.lock:
            self.held.pop((secret, footage.sha256), None)
            self.held[secret, footage.sha256] = _Held(footage, size, time.monotonic())
            self._tidy()

    def find(self, secret: str, sha256: str) -> Footage | None:
        """Return what this browser uploaded, or None."""
        with self.lock:
            self._tidy()
            found = self.held.pop((secret, sha256), None)
            if found is None:
                return None
            found.used = time.monotonic()
            self.held[secret, sha256] = found
            return found.footage

    def forget(self, secret: str) -> None:
        """Drop everything of a browser."""
        with self.lock:
            for key in [key for key in self.held if key[0] == secret]:
                del self.held[key]

    def _tidy(self) -> None:
        now, total = time.monotonic(), sum(one.size for one in self.held.values())
        for key, one in list(self.held.items()):
            if total > MOST_BYTES or now - one.used > KEPT_H * 3600:
                total -= one.size
                del self.held[key]


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf:
    return Shelf()


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
