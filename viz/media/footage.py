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

from errors import InputError, MediaError, OutsideError, counted
from viz.media import animation, decoding, frame_sets, limits, pictures, series, stacks, video
from viz.media.pixels import levels as deep_levels
from viz.media.pixels.upright import Pixels
from viz.media.stored import Stored
from viz.types import Clip, Sampling

ACCEPTED = (
    "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP, GIF, MP4, AVI, MOV, WebM, MKV, MPEG-TS, MPG, WMV, "
    "FLV, or a zip of frames"
)
MOST_FRAMES = 256
_NEARLY = 1e-6
Levels = tuple[float, float]
"""The values that are black and white in pictures of more than 8 bits."""


class Source(Protocol):
    """Where frames come from."""

    def frames(self, numbers: Sequence[int], most: int) -> Pixels:
        """Return frames, numbers ascending, as (T, H, W, 3) uint8, both sides halved until each has
        at most ``most`` pixels; MediaError where one fails."""
        ...


@dataclass(frozen=True, eq=False)
class Held:
    """Frames that are decoded already."""

    clip: Clip

    def frames(self, numbers: Sequence[int], most: int) -> Pixels:
        """Return copies of frames."""
        del most  # they are there already
        shown = self.clip.shown and deep_levels.Levels(*self.clip.shown)
        return Pixels(self.clip.frames[list(numbers)], levels=shown)


@dataclass(frozen=True, eq=False)
class Footage:
    """Recorded frames that are not decoded yet: upright size in pixels, sha256 of the file, and
    ``times``, the true moment in s of every frame, ascending, the first at 0.

    ``notes`` say what was assumed about the file, a sentence each. ``levels`` are those that were
    asked for. ``shown`` are the values that are black and white in a picture of more than 8 bits;
    those of a clip's frames are known once they are taken.
    """

    name: str
    sha256: str
    width: int
    height: int
    times: tuple[float, ...]
    source: Source
    notes: tuple[str, ...] = ()
    levels: Levels | None = None
    shown: Levels | None = None

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

        MediaError where a frame cannot be decoded.
        """
        return self.take(self.numbers(sampling))

    def take(self, numbers: Sequence[int]) -> Clip:
        """Decode exactly these frames, numbers ascending, each once; a picture has frame 0 only.

        Frames that are more than limits.MAX_SAMPLE_PIXELS together are halved until they are not
        (0.5 GB); width and height of the clip stay the file's. OutsideError where the footage has
        no such frame, and as ``sample``.
        """
        numbers = tuple(numbers)
        self._check_numbers(numbers)
        most = limits.MAX_SAMPLE_PIXELS // len(numbers) if self.is_clip else limits.MAX_SHOWN
        found = self.source.frames(numbers, most)
        smaller = found.values.shape[1:3] != (self.height, self.width)
        return Clip(
            found.values,
            tuple(self.times[number] for number in numbers),
            self.name,
            self.sha256,
            numbers if self.is_clip else (),
            tuple(dict.fromkeys((*self.notes, *found.notes))),
            (self.width, self.height) if smaller else None,
            found.levels and found.levels.ends,
            self.levels,
        )

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
        there = f"{self.duration:.2f} s" if unit == "s" else counted(len(self.times), "frame")
        asked = f"{counted(sampling.frames, 'frame')} {sampling.step:g} {unit} apart"
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


def read(content: bytes, name: str, levels: Levels | None = None) -> Footage:
    """Take a picture, a video, an animation, a stack or a zip of frames; as its bytes show.

    The sha256 is that of the bytes. ``levels`` are the values that are black and white in pictures
    of more than 8 bits. MediaError, in one line, for anything else, for what is damaged, and over
    the limits of viz.media.limits.
    """
    return _read(Stored(limits.safe_name(name), content), levels)


def read_set(files: Sequence[tuple[str, bytes]], levels: Levels | None = None) -> Footage:
    """Take several pictures, (name, bytes), as the frames of a clip in natural order of names.

    For times and sha256 see viz.media.frame_sets; ``levels`` as ``read``. MediaError where one is
    no picture, or has another size.
    """
    found, digest = frame_sets.read_files(files, levels=levels)
    return _from(found, found.name, digest)


def load(path: str | Path, levels: Levels | None = None) -> Footage:
    """Read a file, or a folder of frames; MediaError when it is missing or cannot be read.

    ``folder/img_`` and ``frames.zip/img_*`` are the pictures of a series in a folder or zip; see
    viz.media.series. Clips and folders stay on the disk until frames are taken, and may be of any
    size; what is used has to fit into memory.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _folder(path, None, levels)
        if path.exists() or not is_series(path):
            return _read(_on_disk(path), levels)
        if path.parent.is_file():
            return _read(_on_disk(path.parent), levels, path.name)
        return _folder(path.parent, path.name, levels)
    except (OSError, ValueError) as problem:
        raise pictures.unreachable(path, problem, ACCEPTED) from problem


def is_series(path: Path) -> bool:
    """Tell whether a path names pictures in a folder or zip that is there; it never raises."""
    try:
        if path.parent.is_file():
            return frame_sets.is_zip(_on_disk(path.parent).head)
        names = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    except (OSError, ValueError):
        return False
    return bool(names) and ("*" in path.name or len(series.matching(names, path.name)) > 1)


def _folder(path: Path, wanted: str | None, levels: Levels | None) -> Footage:
    found, digest = frame_sets.read_folder(path, wanted, levels)
    return _from(found, found.name, digest)


def _on_disk(path: Path) -> Stored:
    pictures.check_regular(path)
    return Stored(limits.safe_name(path.name), path=path)


def _read(stored: Stored, levels: Levels | None, wanted: str | None = None) -> Footage:
    """Take whatever a file's first bytes show; ``wanted`` is a series in a zip."""
    name, head = stored.name, stored.head
    if not head:
        raise MediaError(f"{name} is empty (0 bytes); give {ACCEPTED}.")
    if frame_sets.is_zip(head):
        return _from(frame_sets.read_zip(stored, wanted, levels), name, stored.sha256)
    if pictures.looks_like_picture(head):
        return _picture(stored.whole(limits.MAX_BYTES), name, levels)
    if not decoding.demuxer_of(head):
        raise MediaError(
            f"{name} is not a picture or clip that this program reads "
            f"({counted(stored.size, 'byte')}); give {ACCEPTED}."
        )
    if levels is not None:
        raise MediaError(f"{name} is a video, so that levels do not apply; leave them out.")
    return _from(video.read(stored), name, stored.sha256)


def _picture(content: bytes, name: str, levels: Levels | None) -> Footage:
    """Take a picture, or the frames of an animation or a stack."""
    source: animation.Animation | stacks.Stack | None = animation.read(content, name)
    if source is None and pictures.is_tiff(content):
        source = stacks.read(content, name, levels)
    if source is None:
        return of(pictures.read(content, name, levels))
    if levels is not None and isinstance(source, animation.Animation):
        raise MediaError(f"{name} is an animation, so that levels do not apply; leave them out.")
    return _from(source, name, hashlib.sha256(content).hexdigest())


def of(clip: Clip) -> Footage:
    """Return frames that are there already as footage; a one-frame clip is a picture."""
    times = tuple(moment - clip.timestamps[0] for moment in clip.timestamps)
    held = Held(clip)
    return Footage(
        clip.name, clip.sha256, clip.width, clip.height, times, held, clip.notes, clip.levels,
        clip.shown,
    )  # fmt: skip


def _from(
    source: video.Video | animation.Animation | frame_sets.FrameSet | stacks.Stack,
    name: str,
    sha256: str,
) -> Footage:
    notes, levels = getattr(source, "notes", ()), getattr(source, "levels", None)
    return Footage(name, sha256, source.width, source.height, source.times, source, notes, levels)
