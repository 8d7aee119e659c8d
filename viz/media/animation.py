"""Animated GIF, WebP and PNG: timed from their headers, composited by Pillow as far as needed."""

import struct
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from errors import MediaError
from viz.media import limits, pictures
from viz.media.pixels import upright
from viz.media.pixels.upright import Pixels

_SHORTEST = 0.0105
_INSTEAD = 0.1
"""Browsers show a frame of 10 ms or less for 100 ms."""
_GIF_HEADER, _GIF_BLOCK = 13, 10


@dataclass(frozen=True, eq=False)
class Animation:
    """An animated picture: ``times`` in s of every frame; ``skipped`` pictures come before them."""

    content: bytes
    name: str
    times: tuple[float, ...]
    skipped: int = 0
    width: int = 0
    height: int = 0

    def frames(self, numbers: Sequence[int], most: int = limits.MAX_SHOWN) -> Pixels:
        """Composite frames, numbers ascending, over white to (T, H, W, 3) uint8, halved until each
        has at most ``most`` pixels.

        Every frame up to the last of them is decoded once; MediaError where one cannot be, or where
        that is too much.
        """
        limits.check_reach(self.name, max(numbers), self.width, self.height)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                factor = limits.halvings(self.width, self.height, most)
                return Pixels(np.stack(list(self._composited(set(numbers), factor))))
        except MediaError:
            raise
        except Exception as problem:  # Pillow's decoders raise almost anything on damaged files
            said = f"and cannot be decoded as far as frame {max(numbers)}"
            said = f"{said} ({type(problem).__name__}); export it again as GIF or MP4."
            raise pictures.damaged(self.name, said, problem) from problem

    def _composited(self, wanted: set[int], factor: int) -> Iterator[np.ndarray]:
        deadline = time.monotonic() + limits.PATIENCE
        with pictures.opened(self.content) as picture:
            limits.check_size(self.name, *picture.size, limits.MAX_FRAME_PIXELS)
            for number in range(-self.skipped, max(wanted) + 1):
                picture.seek(number + self.skipped)
                if picture.format == "WEBP":
                    picture.load()  # decodes every frame up to this one
                limits.check_size(self.name, *picture.size, limits.MAX_FRAME_PIXELS)
                limits.check_deadline(self.name, deadline)
                if number in wanted:
                    frame = upright.upright(picture).values
                    frame = frame[: self.height, : self.width] if self.width else frame
                    yield upright.shrunk(frame, factor)


def read(content: bytes, name: str) -> Animation | None:
    """Time the frames of an animation from its headers and decode the first.

    None where it has fewer than two whole frames. Delays of 10 ms or less count as 100 ms, as in
    browsers. MediaError where it is over a limit or its first frame is damaged.
    """
    delays, skipped = _listed(content, name)
    if len(delays) < 2:
        return None
    limits.check_weight(name, len(content), limits.MAX_BYTES)
    lasting = [delay if delay > _SHORTEST else _INSTEAD for delay in delays]
    times = tuple(round(t, 6) for t in accumulate([0.0, *lasting[:-1]]))
    animation = Animation(content, name, times, skipped)
    _one, height, width, _rgb = animation.frames((0,)).values.shape
    return replace(animation, width=width, height=height)


def _listed(content: bytes, name: str) -> tuple[list[float], int]:
    """Return the delay in s of every whole frame, and how many pictures come before them."""
    delays: list[float] = []
    skipped = 0
    for delay in _delays(content):
        if delay is None:
            skipped = 1
        else:
            delays.append(delay)
        limits.check_length(name, len(delays), limits.MAX_IN_TURN)
    return delays, skipped


def _delays(content: bytes) -> Iterator[float | None]:
    if content[:3] == b"GIF":
        return _gif_delays(content)
    if content[:4] == b"RIFF":
        return _webp_delays(content)
    return _png_delays(content) if content[:4] == b"\x89PNG" else iter(())


def _gif_delays(content: bytes) -> Iterator[float]:
    """Walk the blocks of a GIF; a delay is in hundredths of a second before its image."""
    place, delay = _GIF_HEADER, 0
    if len(content) > place:
        place += _palette(content[10])
    while place + _GIF_BLOCK < len(content):
        if content[place] == 0x21:
            if content[place + 1] == 0xF9:
                delay = int.from_bytes(content[place + 4 : place + 6], "little")
            place = _past(content, place + 2)
        elif content[place] == 0x2C:
            place = _past(content, place + _GIF_BLOCK + _palette(content[place + 9]) + 1)
            if place <= len(content):
                yield delay / 100
            delay = 0
        else:
            return


def _palette(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _past(content: bytes, place: int) -> int:
    """Return the place after a chain of sub-blocks, beyond the end where it is cut."""
    while place < len(content) and content[place]:
        place += content[place] + 1
    return place + 1


def _webp_delays(content: bytes) -> Iterator[float]:
    place = 12
    while place + 24 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        end = place + 8 + size
        if content[place : place + 4] == b"ANMF" and end <= len(content):
            yield int.from_bytes(content[place + 20 : place + 23], "little") / 1000
        place = end + size % 2


def _png_delays(content: bytes) -> Iterator[float | None]:
    """Walk the chunks of a PNG; None is for a picture that is not part of the animation."""
    place, frames = 8, 0
    while place + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"fcTL" and size == 26 and place + 38 <= len(content):
            frames += 1
            over, under = struct.unpack_from(">HH", content, place + 28)
            yield over / (under or 100)
        if kind == b"IDAT" and not frames:
            frames += 1
            yield None
        place += 12 + size
