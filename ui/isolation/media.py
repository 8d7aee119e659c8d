"""Pictures and clips read by children: the same footage as viz.media gives, whose frames are
decoded outside of this process."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from errors import MediaError
from ui.isolation import channel
from ui.isolation.given import Given, Look
from ui.isolation.pool import nothing
from viz.datasets import archive
from viz.media import footage, limits, pictures
from viz.media.footage import Footage, Levels
from viz.media.pixels.levels import Levels as DeepLevels
from viz.media.pixels.upright import Pixels
from viz.types import Clip

MOST_SET_BYTES = 2**30


@dataclass(frozen=True, eq=False)
class _Remote:
    """Frames that a child decodes."""

    given: Given
    is_set: bool
    look: Look
    levels: Levels | None = None

    def frames(self, numbers: Sequence[int], most: int) -> Pixels:
        numbers = [int(number) for number in numbers]
        told, blocks = self.given.ask(
            "frames", self.look, is_set=self.is_set, levels=self.levels, numbers=numbers, most=most
        )
        with _broken(self.given.names[0], blocks):
            shape = _shape(told)
            if shape[0] != len(numbers):
                raise channel.BrokenChannelError("another number of frames")
            shown = _ends(told)
            return Pixels(
                channel.array(blocks[0], shape, "u1"), _notes(told), shown and DeepLevels(*shown)
            )


@dataclass(frozen=True, eq=False)
class _Whole:
    """A picture that is there, not copied when it is taken: its memory is this footage's own. One
    of more than 8 bits comes with its file (else None): it can be shown with other levels."""

    clip: Clip
    given: Given | None
    is_set: bool

    def frames(self, numbers: Sequence[int], most: int) -> Pixels:
        del numbers, most  # the only frame there is
        shown = self.clip.shown and DeepLevels(*self.clip.shown)
        return Pixels(self.clip.frames, levels=shown)


def read(content: bytes, name: str, look: Look = nothing) -> Footage:
    """Take a picture or clip as ``viz.media.footage.read`` does, read by a child.

    MediaError also for what needs more memory or time than a child may have.
    """
    if not content:
        return footage.read(content, name)  # which says so
    limits.check_weight(limits.safe_name(name), len(content), limits.MAX_CLIP_BYTES)
    return _footage(Given.of([(name, content)]), False, look)


def read_set(files: Sequence[tuple[str, bytes]], look: Look = nothing) -> Footage:
    """Take pictures as the frames of a clip as ``viz.media.footage.read_set`` does, by a child."""
    if not files:
        return footage.read_set(files)
    limits.check_weight("The set", sum(len(content) for _, content in files), MOST_SET_BYTES)
    return _footage(Given.of(files), True, look)


def with_levels(found: Footage, levels: Levels | None, look: Look = nothing) -> Footage:
    """Return footage that was read here with other values as black and white, or with those that
    the reader finds (None); MediaError where it has 8 bits a value, or for levels that are none."""
    source = found.source
    if not isinstance(source, _Remote | _Whole) or source.given is None:
        raise MediaError(
            f"{found.name} has 8 bits a value, so that levels do not apply; leave them out."
        )
    return _footage(source.given, source.is_set, look, levels)


def picture(path: Path) -> Clip:
    """Decode a picture on this machine's disk that was uploaded, as ``viz.media.pictures.load``
    does, read by a child. It is called by other threads than the session's."""
    return read(pictures.content_of(path), path.name).take((0,))


def unpack(content: bytes, name: str, look: Look = nothing) -> list[tuple[str, bytes]]:
    """Return (path, bytes) of the pictures and annotations in a zip as
    ``viz.datasets.archive.unpack`` does, read by a child."""
    limits.check_weight(limits.safe_name(name), len(content), limits.MAX_CLIP_BYTES)
    told, blocks = Given.of([(name, content)]).ask("unpack", look)
    with _broken(name, blocks):
        paths, lengths = list(map(str, told["paths"])), list(map(int, told["lengths"]))
        archive.check_bounds(list(zip(paths, lengths, strict=True)), name)
        if min(lengths, default=0) < 0 or any(".." in path.split("/") for path in paths):
            raise channel.BrokenChannelError("a path that leads elsewhere")
        joined = channel.array(blocks[0], (sum(lengths),), "u1") if blocks and paths else b""
        ends = np.cumsum([0, *lengths])
        return [
            (path, bytes(joined[start:end]))
            for path, start, end in zip(paths, ends, ends[1:], strict=False)
        ]


def _footage(given: Given, is_set: bool, look: Look, levels: Levels | None = None) -> Footage:
    told, blocks = given.ask("read", look, is_set=is_set, levels=levels)
    with _broken(given.names[0], blocks):
        name, sha256 = limits.safe_name(str(told["name"])), str(told["sha256"])[:64]
        size, notes = (int(told["width"]), int(told["height"])), _notes(told)
        shown = _ends(told)
        if "shape" in told:
            frames = channel.array(blocks[0], _shape(told), "u1")
            smaller = frames.shape[1:3] != (size[1], size[0])
            clip = Clip(
                frames, (0.0,), name, sha256, notes=notes, size=size if smaller else None,
                shown=shown, levels=levels,
            )  # fmt: skip
            source = _Whole(clip, given if shown else None, is_set)
            return replace(footage.of(clip), source=source)
        count = channel.length(blocks[0], "f8")
        times = tuple(channel.array(blocks[0], (count,), "f8").tolist())
        remote = _Remote(given, is_set, look, levels)
        return Footage(name, sha256, *size, times, remote, notes, levels, shown)


def _shape(told: dict) -> tuple[int, ...]:
    shape = tuple(told["shape"])
    if len(shape) != 4 or shape[3] != 3:
        raise channel.BrokenChannelError("frames of another shape")
    return shape


def _ends(told: dict) -> Levels | None:
    """Return what is black and white; None for 8 bits a value."""
    if told["shown"] is None:
        return None
    low, high = map(float, told["shown"])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise channel.BrokenChannelError("levels that are none")
    return low, high


def _notes(told: dict) -> tuple[str, ...]:
    return tuple(str(note) for note in told["notes"])


@contextmanager
def _broken(name: str, blocks: list[int]) -> Iterator[None]:
    """Close blocks in the end, and refuse what is no answer."""
    try:
        yield
    except (channel.BrokenChannelError, LookupError, TypeError, ValueError) as problem:
        raise MediaError(
            f"{limits.safe_name(name)} could not be read ({problem}); export it again."
        ) from problem
    finally:
        channel.close(blocks)
