"""Footage: everything that was recorded, of which a Sampling takes the frames that are looked at.

A picture is footage of one frame. Nothing is decoded before it is sampled, but a first frame.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from errors import InputError, MediaError, OutsideError
from viz.media import animation, decoding, frame_sets, pictures, video
from viz.types import Clip, Sampling

ACCEPTED = "PNG, JPEG, WebP, TIFF, BMP, GIF, MP4, AVI, MOV, WebM, MKV, or a zip of frames"
MOST_FRAMES = 256
_NEARLY = 1e-6
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")


class Source(Protocol):
    """Where frames come from."""

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        """Return frames, numbers ascending, as (T, H, W, 3) uint8; MediaError where one fails."""
        ...


@dataclass(frozen=True, eq=False)
class _Held:
    pixels: np.ndarray

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        return self.pixels[list(numbers)]


@dataclass(frozen=True, eq=False)
class Footage:
    """Recorded frames that are not decoded yet: upright size in pixels, sha256 of the file, and
    ``times``, the true moment in s of every frame, ascending, the first at 0."""

    name: str
    sha256: str
    width: int
    height: int
    times: tuple[float, ...]
    source: Source

    @property
    def is_clip(self) -> bool:
        """Whether there is more than one frame."""
        return len(self.times) > 1

    @property
    def duration(self) -> float:
        """Seconds; the last frame lasts as long as the one before it. A picture has none."""
        return 2 * self.times[-1] - self.times[-2] if self.is_clip else 0.0

    def numbers(self, sampling: Sampling) -> tuple[int, ...]:
        """Return which frames a Sampling takes, ascending, each once.

        Steps in seconds take the frame that is on screen at each moment; fractional steps in
        frames take the nearest. Without a start the clip lies in the middle, and where it is
        longer than the footage its step shrinks until it fits. A frame that would be taken
        twice is taken once: there may be fewer than asked for. InputError for a Sampling that
        means nothing; OutsideError for a start from which it does not fit.
        """
        _check(sampling)
        seconds = sampling.unit == "seconds"
        end = self.times[-1] if seconds else float(len(self.times) - 1)
        if sampling.start is None and sampling.frames >= len(self.times):
            return tuple(range(len(self.times)))
        step = float(sampling.step)
        if sampling.start is None:
            step = min(step, end / max(1, sampling.frames - 1))
        room = end - (sampling.frames - 1) * step
        start = self._start(sampling, room)
        moments = (min(start + k * step, end) for k in range(sampling.frames))
        find = self._shown_at if seconds else _nearest
        return tuple(sorted({find(moment) for moment in moments}))

    def sample(self, sampling: Sampling) -> Clip:
        """Decode the frames that a Sampling takes; ``numbers`` is empty for a picture.

        At most pictures.MAX_SAMPLE_PIXELS together. MediaError where a frame cannot be decoded.
        """
        return self.take(self.numbers(sampling))

    def take(self, numbers: Sequence[int]) -> Clip:
        """Decode exactly these frames, numbers ascending, each once; a picture has frame 0 only.

        OutsideError where the footage has no such frame, and as ``sample``.
        """
        numbers = tuple(numbers)
        self._check_numbers(numbers)
        if self.is_clip:
            self._check_pixels(len(numbers))
        frames = self.source.frames(numbers)
        times = tuple(self.times[number] for number in numbers)
        return Clip(frames, times, self.name, self.sha256, numbers if self.is_clip else ())

    def _check_numbers(self, numbers: tuple[int, ...]) -> None:
        last = len(self.times) - 1
        rising = all(before < after for before, after in pairwise(numbers))
        if numbers and rising and numbers[0] >= 0 and numbers[-1] <= last:
            return
        listed = ", ".join(map(str, numbers[:8])) + (", ..." if numbers[8:] else "")
        raise OutsideError(
            f"Frames [{listed}] cannot be taken; {self.name} has frames 0 to {last}. Take one or "
            "more of them, ascending, each once."
        )

    def _check_pixels(self, count: int) -> None:
        if count * self.width * self.height > pictures.MAX_SAMPLE_PIXELS:
            most = pictures.MAX_SAMPLE_PIXELS // (self.width * self.height)
            raise MediaError(
                f"{count} frames of {self.width} x {self.height} pixels are more than "
                f"{pictures.MAX_SAMPLE_PIXELS / 1e6:.0f} million; take {max(1, most)} frames or "
                f"fewer of {self.name}, or scale it down."
            )

    def _start(self, sampling: Sampling, room: float) -> float:
        if sampling.start is None:
            return (
                room / 2 if sampling.unit == "seconds" else float(math.floor(room + _NEARLY) // 2)
            )
        if sampling.start > room + _NEARLY:
            raise OutsideError(self._misfit(sampling, room))
        return float(sampling.start)

    def _misfit(self, sampling: Sampling, room: float) -> str:
        unit = "s" if sampling.unit == "seconds" else "frames"
        there = f"{self.duration:.2f} s" if unit == "s" else f"{len(self.times)} frames"
        asked = f"{sampling.frames} frames {sampling.step:g} {unit} apart"
        if room < 0:
            return (
                f"{asked} do not fit into the {there} of {self.name}; take fewer, a smaller "
                "step, or no start."
            )
        last = math.floor((room + _NEARLY) * 1000) / 1000
        return (
            f"{asked} from {sampling.start:g} go beyond the {there} of {self.name}; the last start "
            f"that fits is {last:.10g}."
        )

    def _shown_at(self, moment: float) -> int:
        return bisect_right(self.times, moment + _NEARLY) - 1


def _nearest(moment: float) -> int:
    return math.floor(moment + 0.5)


def _check(sampling: Sampling) -> None:
    if not (_whole(sampling.frames) and 1 <= sampling.frames <= MOST_FRAMES):
        raise InputError(
            f"{sampling.frames!r} frames cannot be taken; take a whole number from 1 to "
            f"{MOST_FRAMES}."
        )
    if not (_finite(sampling.step) and sampling.step > 0):
        raise InputError(f"A step of {sampling.step!r} is none; take a number above 0.")
    if sampling.start is not None and not (_finite(sampling.start) and sampling.start >= 0):
        raise InputError(
            f"A clip cannot start at {sampling.start!r}; take a number from 0 on, or none for "
            "the middle."
        )
    if sampling.unit not in ("frames", "seconds"):
        raise InputError(f"The unit {sampling.unit!r} is not known; take frames or seconds.")


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _finite(value: object) -> bool:
    return (_whole(value) and abs(value) < 2**53) or (
        isinstance(value, float) and math.isfinite(value)
    )


def read(content: bytes, name: str) -> Footage:
    """Take a picture, a video, an animation or a zip of frames; whichever its bytes show.

    The sha256 is that of the bytes. MediaError, in one line, for anything else, for what is
    damaged, and over the limits of viz.media.pictures.
    """
    name = pictures.safe_name(name)
    if not content:
        raise MediaError(f"{name} is empty (0 bytes); give {ACCEPTED}.")
    head = content[:16]
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        raise MediaError(f"{name} is a HEIC or AVIF picture; save it as PNG or JPEG first.")
    source: video.Video | animation.Animation | frame_sets.FrameSet | None = None
    if decoding.demuxer_of(head):
        source = video.read(content, name)
    elif frame_sets.is_zip(head):
        source = frame_sets.read_zip(content, name)
    elif pictures.looks_like_picture(head):
        source = animation.read(content, name)
    else:
        raise MediaError(
            f"{name} is not a picture or clip that this program reads ({len(content)} bytes); "
            f"give {ACCEPTED}."
        )
    if source is None:
        return of(pictures.read(content, name))
    return _from(source, name, hashlib.sha256(content).hexdigest())


def read_set(files: Sequence[tuple[str, bytes]]) -> Footage:
    """Take several pictures, (name, bytes), as the frames of a clip in natural order of names.

    For times and sha256 see viz.media.frame_sets. MediaError where one is no picture, or has
    another size.
    """
    found, digest = frame_sets.read_files(files)
    return _from(found, found.name, digest)


def load(path: str | Path) -> Footage:
    """Read a file, or a folder of frames; MediaError when it is missing or cannot be read."""
    path = Path(path)
    try:
        files = frame_sets.read_folder(path) if path.is_dir() else None
    except (OSError, ValueError) as problem:
        raise pictures.unreachable(path, problem, ACCEPTED) from problem
    if files is None:
        return read(pictures.content_of(path, pictures.MAX_CLIP_BYTES, ACCEPTED), path.name)
    name = pictures.safe_name(path.resolve().name)
    found, digest = frame_sets.read_files(files, name)
    return _from(found, name, digest)


def of(clip: Clip) -> Footage:
    """Return frames that are there already as footage; a one-frame clip is a picture."""
    times = tuple(moment - clip.timestamps[0] for moment in clip.timestamps)
    return Footage(clip.name, clip.sha256, clip.width, clip.height, times, _Held(clip.frames))


def _from(
    source: video.Video | animation.Animation | frame_sets.FrameSet, name: str, sha256: str
) -> Footage:
    return Footage(name, sha256, source.width, source.height, source.times, source)
