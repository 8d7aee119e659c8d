"""Files as children get them, and the pool of this process."""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from ui.isolation import channel
from ui.isolation.pool import Pool
from viz.media import limits

Look = Callable[..., None]
"""Is called while a child works, with the share that is done when the child tells it, and with
``place=`` while it waits for a child; whatever it raises ends the work."""


@cache
def pool() -> Pool:
    """Return the pool of this process."""
    return Pool()


def warm() -> None:
    """Start the pool's children in the background, so that the first picture need not wait."""
    threading.Thread(target=pool().warm, daemon=True).start()


@dataclass(frozen=True, eq=False)
class Given:
    """Files: their bytes one after another, and a token that is their own."""

    names: tuple[str, ...]
    lengths: tuple[int, ...]
    joined: bytes
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @staticmethod
    def of(files: Sequence[tuple[str, bytes]]) -> "Given":
        """Return (name, bytes) of files as they are given."""
        names = tuple(name for name, _content in files)
        lengths = tuple(len(content) for _name, content in files)
        whole = files[0][1] if len(files) == 1 else b"".join(content for _name, content in files)
        return Given(names, lengths, whole)

    def ask(self, kind: str, look: Look, **more: object) -> tuple[dict, list[int]]:
        """Have a child do a job of KINDS with the files; see Pool.run."""
        request = {
            "kind": kind, "names": self.names, "lengths": self.lengths, "token": self.token, **more,
        }  # fmt: skip
        block = channel.block(self.joined)
        try:
            return pool().run(request, [block], limits.safe_name(self.names[0]), look)
        finally:
            channel.close([block])
