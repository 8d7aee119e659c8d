"""Open a video safely, and hand out its frames in order from as few decoded ones as will do."""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from errors import MediaError
from viz.media import limits, pictures
from viz.media.pixels import hdr
from viz.media.stored import Bounded, Stored

_ISO = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_MISSING = 2
"""Frames in a row that a decoder may leave out; the one before them is shown, as players do."""
_NEAR = 8
"""Frames that are sooner decoded than sought past."""
_SQUARE = 0.02
"""Pixels that are within this of square are left as they are."""
_PROBED = 2**27
"""Pixels of a frame that FFmpeg may look at to find its size; beyond, there is none."""
_LARGE = 4096 * 2304
"""Frames of more pixels are decoded without a thread a frame, of which each holds frames."""
_ONE_LARGE = threading.Lock()
_TS, _TS_PACKETS = 0x47, (188, 192, 204)
_MPEG_STARTS = {b"\0\0\1\xba": "mpeg", b"\0\0\1\xb3": "mpegvideo"}
_STARTS = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
    b"FLV\1": "flv",
    b"OggS": "ogg",
    **_MPEG_STARTS,
}
_LONGEST = 2 * limits.PATIENCE
"""Seconds that FFmpeg may read of one open file."""
_REMEDY = "export it again as MP4 (H.264)"


class LostError(Exception):
    """A frame did not come out of the decoder."""


class UntimedError(LostError):
    """The decoder's stamps are not in order."""


class Key(NamedTuple):
    """A frame that decoding can start at: its number, and its stamps in ticks."""

    number: int
    pts: int
    dts: int | None


@dataclass(frozen=True, eq=False)
class Index:
    """Where the frames of a video are: ``times`` in s from the first, ``stamps`` in ticks.

    Decoding starts at one of ``keys`` or at the beginning. Where stamps do not give the order of
    frames (``timed`` False: AVI with B-frames), frames are counted from the first one.
    """

    name: str
    times: tuple[float, ...]
    stamps: tuple[int, ...]
    keys: tuple[Key, ...]
    timed: bool


def demuxer_of(head: bytes) -> str | None:
    """Return FFmpeg's demuxer for a file that begins so; None where it is no video accepted."""
    if head[4:8] in _ISO:
        return "mov"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    if _is_transport(head):
        return "mpegts"
    return next((demuxer for start, demuxer in _STARTS.items() if head.startswith(start)), None)


def _is_transport(head: bytes) -> bool:
    """Tell whether packets of MPEG-TS begin at their distance (M2TS has 4 bytes before each)."""
    binary = not head.isascii() or b"\0" in head
    return binary and any(
        len(head) > first + 2 * size and all(head[first + k * size] == _TS for k in range(3))
        for size in _TS_PACKETS
        for first in (0, 4)
    )


def _no_other_file(url: str, flags: int, options: dict) -> None:
    raise PermissionError(f"{url} is outside the upload ({flags}, {len(options)})")


@contextmanager
def opened(stored: Stored) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the container and its video; whatever FFmpeg raises inside becomes one line.

    The demuxer is chosen by the first bytes and may open nothing else, so that neither playlists
    nor references to other files are followed.
    """
    name = stored.name
    try:
        with (
            stored.open() as file,
            av.open(
                bounded := Bounded(file, _LONGEST),
                format=demuxer_of(stored.head),
                metadata_errors="ignore",
                io_open=_no_other_file,
                options={"max_pixels": str(_PROBED)},
            ) as container,
        ):
            if bounded.is_over:
                raise MediaError(f"{name} is damaged: it leads round in itself; {_REMEDY}.")
            stream = _best(container, name)
            for other in container.streams:
                other.discard = Discard.default if other is stream else Discard.all
            context = stream.codec_context
            large = context.width * context.height > _LARGE
            stream.thread_type = "SLICE" if large else "AUTO"
            context.options = {"max_pixels": str(limits.MAX_FRAME_PIXELS)}
            with _ONE_LARGE if large else nullcontext():
                yield container, stream
    except (MediaError, LostError):
        raise
    except Exception as problem:  # damaged files raise almost anything
        said = f"or cut short and cannot be decoded ({type(problem).__name__}); {_REMEDY}."
        raise pictures.damaged(name, said, problem) from problem


def _best(container: InputContainer, name: str) -> VideoStream:
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        heard = ", only audio" if container.streams.audio else ""
        raise MediaError(f"{name} holds no video{heard}; give a clip that has pictures in it.")
    best = container.streams.best("video")
    stream = best if best in moving else moving[0]
    context = stream.codec_context
    if context is None:
        raise MediaError(f"{name} is in a codec that this program does not have; {_REMEDY}.")
    if not context.width:
        most = f"{limits.MAX_FRAME_PIXELS / 1e6:.3g} million pixels"
        raise MediaError(
            f"{name} has frames that are damaged or of far more than {most}, which is the most "
            f"that is accepted; scale it down, or {_REMEDY}."
        )
    limits.check_size(name, context.width, context.height, limits.MAX_FRAME_PIXELS)
    return stream


class Reader:
    """Hands out frames, asked for in ascending order, from one pass over an open video."""

    def __init__(
        self, index: Index, container: InputContainer, stream: VideoStream, deadline: float
    ) -> None:
        self.index, self.container, self.stream = index, container, stream
        self.deadline = deadline
        self.held: tuple[int, VideoFrame | None] = (-1, None)
        self.upcoming: tuple[int, VideoFrame] | None = None
        self.passed: FFmpegError | None = None
        """What was wrong with the last packet that was passed over."""
        self.coming = self._numbered(container.demux(stream))

    def at(self, wanted: int) -> VideoFrame:
        """Return the frame on screen at frame number ``wanted``; LostError where none is."""
        self._jump(wanted)
        while self.held[0] < wanted:
            self.upcoming = self.upcoming or next(self.coming, None)
            if self.upcoming is None or self.upcoming[0] > wanted:
                break
            self.held, self.upcoming = self.upcoming, None
        number, frame = self.held
        if frame is None or wanted - number > _MISSING:
            raise LostError(self._lost(wanted, number)) from self.passed
        return frame

    def _lost(self, wanted: int, number: int) -> str:
        times = self.index.times
        story = f"frame {wanted} at {times[wanted]:.2f} s cannot be decoded"
        if number < 0:
            return story
        return f"{story}, the last before it that can is {number} at {times[number]:.2f} s"

    def _jump(self, wanted: int) -> None:
        """Go on from the last key before ``wanted``, where that saves decoding."""
        place = bisect_right(self.index.keys, wanted, key=lambda key: key.number) - 1
        if place < 0 or self.index.keys[place].number - self.held[0] <= _NEAR:
            return
        key = self.index.keys[place]
        for stamp in (key.pts, key.dts):
            self.container.seek(key.pts if stamp is None else stamp, stream=self.stream)
            packets = self.container.demux(self.stream)
            first = next(packets)
            if first.pts is not None and first.pts <= key.pts:
                self.coming = self._numbered(packets, first)
                self.held, self.upcoming = (self.held[0], None), None
                return
        raise LostError(f"frame {key.number}, where decoding has to start, is not found")

    def _numbered(
        self, packets: Iterator[av.Packet], first: av.Packet | None = None
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (frame number, frame) as they are shown, without those before frame 0."""
        latest, stamps = None, self.index.stamps
        for count, frame in enumerate(self._decoded(packets, first)):
            number = min(count, len(stamps) - 1)
            if self.index.timed:
                if frame.pts is None or (latest is not None and frame.pts <= latest):
                    raise UntimedError("its frames are not stamped in order")
                latest = frame.pts
                number = bisect_right(stamps, latest) - 1
            if number >= 0 and not frame.is_corrupt:
                yield number, frame

    def _decoded(
        self, packets: Iterator[av.Packet], packet: av.Packet | None
    ) -> Iterator[VideoFrame]:
        """Yield what decodes; damaged packets are passed over."""
        while True:
            limits.check_deadline(self.index.name, self.deadline)
            try:
                packet = next(packets, None) if packet is None else packet
                if packet is None:
                    return
                yield from packet.decode()
            except FFmpegError as problem:
                self.passed = problem
            packet = None


def pixels(frame: VideoFrame, shape: Fraction | None, name: str, most: int) -> np.ndarray:
    """Return a frame as (H, W, 3) uint8 RGB, by its colour matrix and range (BT.601 where it does
    not say), high dynamic range toned down, what is transparent on white, turned as the file says.

    ``shape`` is how wide a pixel is for its height: where it is not square, the width is stretched
    as players do. Both sides are halved until at most ``most`` pixels are left.
    """
    width, height = frame.width, frame.height
    if shape and abs(shape - 1) > _SQUARE:
        width = max(1, round(frame.width * shape))
    limits.check_size(name, width, height, limits.MAX_FRAME_PIXELS)
    factor = limits.halvings(width, height, most)
    size = {"width": -(-width // factor), "height": -(-height // factor)}
    if factor > 1:
        size["interpolation"] = Interpolation.AREA
    return np.ascontiguousarray(_turned(_rgb(frame, size), frame, name))


def _rgb(frame: VideoFrame, size: dict[str, object]) -> np.ndarray:
    """Return a frame at a size as (H, W, 3) uint8 on white."""
    if hdr.is_hdr(frame.color_trc):
        deep = frame.to_ndarray(format="rgb48le", **size)
        return hdr.toned(deep, frame.color_trc)
    if not any(component.is_alpha for component in frame.format.components):
        return frame.to_ndarray(format="rgb24", **size)
    layered = frame.to_ndarray(format="rgba", **size).astype(np.uint16)
    colours, opacity = layered[..., :3], layered[..., 3:]
    return ((colours * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


def _turned(colours: np.ndarray, frame: VideoFrame, name: str) -> np.ndarray:
    """Apply the display matrix: x' = a x + c y, y' = b x + d y, in quarter turns and flips."""
    found = frame.side_data.get(Type.DISPLAYMATRIX)
    if found is None:
        return colours
    a, b, _u, c, d = np.frombuffer(bytes(found), np.int32)[:5].astype(float)
    if max(abs(b), abs(c)) <= _SQUARE * min(abs(a), abs(d)):
        return colours[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    if max(abs(a), abs(d)) <= _SQUARE * min(abs(b), abs(c)):
        return colours.swapaxes(0, 1)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
    raise MediaError(
        f"{name} is turned by {frame.rotation} degrees; quarter turns are accepted. Turn it "
        f"upright and {_REMEDY}."
    )
