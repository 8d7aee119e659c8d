"""Pictures as a movie: MP4 that plays in browsers, GIF, animated WebP."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import Protocol

import av
import numpy as np
from av.codec.context import Flags
from PIL import Image

from errors import MachineError
from viz import whole_files
from viz.rendering import marks

Progress = Callable[[int, int], None]
"""Called with the frames done and all there are; what it raises stops the work."""
Pictures = Iterator[np.ndarray]

ALONE_S = 1.0
"""How long the frame of a clip of one frame is shown, in s."""
_CLOCK = Fraction(1, 90_000)
QUALITY = {"crf": "18", "preset": "fast", "bf": "0", "x264-params": "mbtree=0"}
"""x264's macroblock tree reads memory that nobody wrote: the same pictures then give other bytes
once in a while (MALLOC_PERTURB_=1 shows it every time), so it is off."""
THREADS = 2  # fixed, because x264's bytes follow it
_BT709, _LIMITED = 1, 1
_PALETTE_FRAMES = 8
_WEBP_QUALITY = 85
_SHORTEST_GIF = 2  # in 10 ms: browsers show shorter frames for 100 ms


class Movie(Protocol):
    """What can be written as a movie: pictures of one even size, each ``held`` for so many s."""

    held: list[float]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of every picture in pixels."""
        ...

    @property
    def references(self) -> set[int]:
        """The frames with reference patches, whose colours must not be lost."""
        ...

    def picture(self, index: int) -> np.ndarray:
        """Return one picture of the movie: (H, W, 3) uint8."""
        ...


@dataclass(frozen=True)
class Kind:
    """A kind of movie: its name, media type, long side in pixels, and what writes it."""

    title: str
    mime: str
    largest: int
    write: Callable[[Movie, Pictures], bytes]


def held_times(timestamps: tuple[float, ...]) -> list[float]:
    """Return how long each frame is shown, in s: until the next; the last for the median of them.

    Frames that share a time are held for the median too.
    """
    steps = [after - before for before, after in pairwise(timestamps)]
    usual = median([step for step in steps if step > 0] or [ALONE_S])
    return [step if step > 0 else usual for step in steps] + [usual]


def whole_units(held: list[float], unit: float, least: int = 1) -> list[int]:
    """Return times in whole units whose sums stay as near to the true ones as ``least`` allows."""
    units: list[int] = []
    for end in accumulate(held):
        units.append(max(least, round(end / unit) - sum(units)))
    return units


def pictures(movie: Movie, progress: Progress | None = None) -> Pictures:
    """Yield the pictures in order; while one is written the next is painted, by another thread.

    ``progress`` is told of a picture when the one behind it is asked for: it is written then.
    """
    total = len(movie.held)
    with ThreadPoolExecutor(1, "movie-painter") as painter:
        painted = painter.submit(movie.picture, 0)
        for index in range(total):
            picture = painted.result()
            if index + 1 < total:
                painted = painter.submit(movie.picture, index + 1)
            yield picture
            if progress is not None:
                progress(index + 1, total)


def _mp4(movie: Movie, pictures: Pictures) -> bytes:
    try:
        with whole_files.temporary_folder() as folder:
            # A file, because moving the index to the front (faststart) reads it again.
            path = folder / "file.mp4"
            _encode(path, movie, pictures)
            return path.read_bytes()
    except (av.FFmpegError, OSError) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise MachineError(
            f"The movie could not be encoded ({reason}); give the temporary folder room."
        ) from problem


def _encode(path: Path, movie: Movie, pictures: Pictures) -> None:
    rate = Fraction(len(movie.held) / sum(movie.held)).limit_denominator(1000)
    ticks = whole_units(movie.held, float(_CLOCK))
    starts = [0, *accumulate(ticks[:-1])]
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate, options=QUALITY)
        stream.height, stream.width = movie.shape
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        codec.time_base, codec.thread_count = _CLOCK, THREADS
        codec.flags |= Flags.bitexact | Flags.frame_duration
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
        codec.color_range = _LIMITED
        for picture, start, held in zip(pictures, starts, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts, frame.duration, frame.time_base = start, held, _CLOCK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _gif(movie: Movie, pictures: Pictures) -> bytes:
    palette = _palette(movie)
    drawn = (Image.fromarray(picture).quantize(palette=palette) for picture in pictures)
    lasting = [10 * held for held in whole_units(movie.held, 0.01, _SHORTEST_GIF)]
    packed, how = io.BytesIO(), {"save_all": True, "loop": 0, "optimize": False}
    next(drawn).save(packed, "GIF", append_images=drawn, duration=lasting, **how)
    return packed.getvalue()


def _palette(movie: Movie) -> Image.Image:
    """Return one palette for all frames, made of some of them, with the marks' own colours."""
    total = len(movie.held)
    chosen = {k * total // _PALETTE_FRAMES for k in range(_PALETTE_FRAMES)}
    chosen |= movie.references
    few = np.concatenate([movie.picture(index)[::2, ::2] for index in sorted(chosen)])
    kept = (marks.GREEN, marks.WHITE, (0, 0, 0))
    found = Image.fromarray(few).quantize(256 - len(kept), Image.Quantize.MEDIANCUT)
    colours = (found.getpalette() or [])[: 3 * (256 - len(kept))]
    found.putpalette([*colours, *(value for colour in kept for value in colour)])
    return found


def _webp(movie: Movie, pictures: Pictures) -> bytes:
    first, rest = Image.fromarray(next(pictures)), _Remaining(pictures, len(movie.held) - 1)
    packed, how = io.BytesIO(), {"save_all": True, "loop": 0, "quality": _WEBP_QUALITY}
    others, lasting = [rest] if rest.n_frames else [], whole_units(movie.held, 0.001)
    first.save(packed, "WEBP", append_images=others, duration=lasting, **how)
    next(pictures, None)  # the last frame has been written too
    return packed.getvalue()


class _Remaining:
    """Frames that Pillow's WebP writer seeks one after the other; only one is ever there."""

    mode = "RGB"

    def __init__(self, pictures: Pictures, n_frames: int) -> None:
        self.n_frames = n_frames
        self._pictures = pictures

    def seek(self, _frame: int) -> None:
        self._shown = Image.fromarray(next(self._pictures))

    def getim(self) -> object:
        return self._shown.getim()


KINDS: dict[str, Kind] = {
    "mp4": Kind("MP4 (H.264)", "video/mp4", 1280, _mp4),
    "gif": Kind("GIF", "image/gif", 800, _gif),
    "webp": Kind("Animated WebP", "image/webp", 1280, _webp),
}
"""What can be written. A GIF is smaller because all of its frames are held until the end."""
