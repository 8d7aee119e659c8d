"""Videos from bytes: indexed without decoding, then only the frames that are asked for decoded."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from errors import MediaError
from viz.media import limits, pictures
from viz.media.decoding import Index, Key, LostError, Reader, opened, pixels
from viz.media.pixels import hdr
from viz.media.pixels.upright import Pixels
from viz.media.stored import Stored

_HIDDEN = {"vp8": lambda first: not first & 0x10}
"""Codec -> whether the packet with this first byte is decoded but never shown."""
_USUAL_RATE = Fraction(25)


@dataclass(frozen=True, eq=False)
class Video:
    """An indexed video; ``width`` and ``height`` in pixels, upright and square."""

    stored: Stored
    index: Index
    width: int = 0
    height: int = 0

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds of every frame, ascending, the first at 0."""
        return self.index.times

    def frames(self, numbers: Sequence[int], most: int = limits.MAX_FRAME_PIXELS) -> Pixels:
        """Decode frames, numbers ascending, to (T, H, W, 3) uint8, halved until each has at most
        ``most`` pixels.

        MediaError where one cannot be had, or all together take more than limits.PATIENCE.
        """
        deadline = time.monotonic() + limits.PATIENCE
        problem: LostError | None = None
        for index in self._ways():
            if not index.timed and type(problem) is LostError:
                break  # counting frames would give others than those that were asked for
            try:
                return self._gathered(numbers, index, deadline, most)
            except LostError as lost:
                problem = lost
        remedy = "Take frames that are there, or export it again as MP4 (H.264)."
        said = f"or cut short: {problem}. {remedy}"
        raise pictures.damaged(self.index.name, said, problem) from problem

    def _ways(self) -> Iterator[Index]:
        """Yield how to decode: from the nearest key, then from the start, then by counting."""
        if self.index.timed:
            yield self.index
            yield replace(self.index, keys=())
        yield replace(self.index, keys=(), timed=False)

    def _gathered(self, numbers: Sequence[int], index: Index, deadline: float, most: int) -> Pixels:
        taken: list[np.ndarray] = []
        with opened(self.stored) as (container, stream):
            reader = Reader(index, container, stream, deadline)
            for number in numbers:
                frame = reader.at(number)
                taken.append(pixels(frame, stream.sample_aspect_ratio, index.name, most))
                self._check_same(taken[-1], most)
            note = hdr.note(frame.color_trc)
        return Pixels(np.stack(taken), (note,) if note else ())

    def _check_same(self, picture: np.ndarray, most: int) -> None:
        factor = limits.halvings(self.width, self.height, most)
        height, width, _rgb = picture.shape
        if self.width and (width, height) != (-(-self.width // factor), -(-self.height // factor)):
            raise MediaError(
                f"{self.index.name} has frames of different sizes, {self.width} x {self.height} "
                f"and {width * factor} x {height * factor} pixels; scale them to one size first."
            )


class _Slot(NamedTuple):
    """A packet that holds a frame: stamps in ticks, and whether decoding can start there."""

    pts: int | None
    dts: int | None
    key: bool


def read(stored: Stored) -> Video:
    """Index the best video stream of MP4, MOV, AVI, Matroska, WebM, MPEG-TS, MPEG-PS, WMV, FLV or
    Ogg, and decode its first frame.

    A file on the disk is read once from end to end, and stays there.

    Frames that an edit list leaves out, cover pictures and damaged packets do not count. Limits
    are those of viz.media.limits; MediaError, in one line, for everything that cannot be used.
    """
    name = stored.name
    if stored.path is None:
        limits.check_weight(name, stored.size, limits.MAX_CLIP_BYTES)
    with opened(stored) as (container, stream):
        slots = _slots(container, stream, name)
        if not slots:
            raise MediaError(
                f"{name} holds no frames that can be read; export it again as MP4 (H.264)."
            )
        index = _indexed(slots, stream, name)
    video = Video(stored, index)
    _one, height, width, _rgb = video.frames((0,)).values.shape
    return replace(video, width=width, height=height)


def _slots(container: InputContainer, stream: VideoStream, name: str) -> list[_Slot]:
    """List the packets without decoding; what cannot be reached in a cut file is left out."""
    hidden = _HIDDEN.get(stream.codec_context.name)
    deadline = time.monotonic() + limits.PATIENCE
    slots: list[_Slot] = []
    try:
        for packet in container.demux(stream):
            if not packet.size or packet.is_discard or packet.is_corrupt:
                continue
            if hidden and hidden(memoryview(packet)[0]):
                continue
            slots.append(_Slot(packet.pts, packet.dts, packet.is_keyframe))
            limits.check_length(name, len(slots))
            limits.check_deadline(name, deadline)
    except FFmpegError:
        return slots
    return slots


def _indexed(slots: list[_Slot], stream: VideoStream, name: str) -> Index:
    """Put the frames in order: by when they are shown, else by when they are decoded, else as
    they are stored, at the usual rate."""
    stamped, timed = _stamps(slots, stream)
    tick = stream.time_base
    if stamped is None or not tick:
        stamped, tick = list(range(len(slots))), 1 / (stream.average_rate or _USUAL_RATE)
        timed = False
    stamps = sorted(set(stamped))
    over, under = tick.numerator, tick.denominator
    times = tuple((stamp - stamps[0]) * over / under for stamp in stamps)
    keys = _keys(slots, stamps) if timed else ()
    return Index(name, times, tuple(stamps), keys, timed)


def _stamps(slots: list[_Slot], stream: VideoStream) -> tuple[list[int] | None, bool]:
    """Return a stamp for every frame, None where some have none, and whether these are the times
    of showing."""
    shown = [slot.pts for slot in slots]
    if None not in shown:
        return shown, not (_as_stored(shown) and stream.codec_context.has_b_frames)
    decoded = [slot.dts for slot in slots]
    return (None if None in decoded else decoded), False


def _keys(slots: list[_Slot], stamps: list[int]) -> tuple[Key, ...]:
    """Return the frames that decoding can start at, ascending; ``stamps`` are times of showing."""
    numbers = {stamp: number for number, stamp in enumerate(stamps)}
    keys = [Key(numbers[slot.pts], slot.pts, slot.dts) for slot in slots if slot.key]
    return tuple(sorted(keys, key=lambda key: key.number))


def _as_stored(stamps: list[int]) -> bool:
    """Return whether stamps only ascend: with B-frames they are then not times of showing."""
    return all(a < b for a, b in zip(stamps, stamps[1:], strict=False))
