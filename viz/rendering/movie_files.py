"""A clip's view as a movie: MP4 that plays in browsers, GIF, animated WebP."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Protocol

import av
import matplotlib
import numpy as np
from av.codec.context import Flags
from PIL import Image, ImageDraw, ImageFont

from errors import InputError, MachineError
from viz.rendering import overlay, save, strip
from viz.rendering.strip import Panel, View
from viz.types import Clip, Look

Progress = Callable[[int, int], None]
"""Called with the frames done and all there are; what it raises stops the work."""
Pictures = Iterator[np.ndarray]

ALONE_S = 1.0
"""How long the frame of a clip of one frame is shown, in s."""
_CLOCK = Fraction(1, 90_000)
_LINE, _BELOW = 2, 34
"""Pixels: width of the mark; room under the panels for the frame's words and the line of time."""
QUALITY = {"crf": "18", "preset": "fast", "bf": "0"}
THREADS = 2  # fixed, because x264's bytes follow it
_BT709, _LIMITED = 1, 1
_PALETTE_FRAMES = 8
_WEBP_QUALITY = 85
_SHORTEST_GIF = 2  # in 10 ms: browsers show shorter frames for 100 ms


class Reel(Protocol):
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


@dataclass(frozen=True, eq=False)
class Film:
    """What stays from frame to frame, and for how many s each is ``held``.

    ``chrome`` (H, W, 3) uint8 has title, colour bar and caption around each picture's place, whose
    (left, top) are in ``corners`` and width and height in ``size``.
    """

    clip: Clip
    panels: list[Panel]
    chrome: np.ndarray
    corners: list[tuple[int, int]]
    size: tuple[int, int]
    held: list[float]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of every picture in pixels."""
        return self.chrome.shape[0], self.chrome.shape[1]

    @property
    def references(self) -> set[int]:
        """The frames that the reference patches are in."""
        return {panel.view.frame for panel in self.panels}

    def picture(self, index: int) -> np.ndarray:
        """Return one picture of the movie: (H, W, 3) uint8."""
        picture = self.chrome.copy()
        width, height = self.size
        frame = overlay.scaled(self.clip.frames[index], width, height)
        for panel, (left, top) in zip(self.panels, self.corners, strict=True):
            picture[top : top + height, left : left + width] = panel.painted(frame, index, _LINE)
        _tell(self, picture, index)
        return picture


@dataclass(frozen=True)
class Kind:
    """A kind of movie: its name, media type, long side in pixels, and what writes it."""

    title: str
    mime: str
    largest: int
    write: Callable[[Reel, Pictures], bytes]


def write(
    clip: Clip, views: list[View], look: Look, kind: str, progress: Progress | None = None
) -> bytes:
    """Return the clip with every network's overlay side by side as a movie of ``kind``.

    Frame k is shown at its own time, the last for the median of the steps before. Frames are
    painted one at a time. The same view gives the same bytes. No file is left, come what may.
    """
    if kind not in KINDS:
        raise InputError(f"Movie kind {kind!r} came; use one of {', '.join(KINDS)}.")
    film = stage(clip, views, look, KINDS[kind].largest)
    return KINDS[kind].write(film, pictures(film, progress))


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


def stage(clip: Clip, views: list[View], look: Look, largest: int) -> Film:
    """Draw everything that stays, once; the long side is at most ``largest`` pixels."""
    room = largest - 2 * strip.MARGIN - (len(views) - 1) * strip.GAP
    around = 2 * strip.MARGIN + strip.HEAD + strip.FOOT + _BELOW + 60  # more lines of caption
    size = overlay.fitted(clip, room / len(views), largest - around)
    views = [view.sized(*size) for view in views]
    panels = strip.panels(clip, views, look, size[0], 1.0)
    page, corners = save.abreast(panels, size, 1.0, _BELOW)
    blank = np.full((size[1], size[0], 3), 255, np.uint8)
    for panel, (left, low) in zip(panels, corners, strict=True):
        page.panel(panel, left, low, blank, look)
    places = [(left, page.high - low - strip.FOOT - size[1]) for left, low in corners]
    to_even = [(0, page.high % 2), (0, page.wide % 2), (0, 0)]
    chrome = np.pad(page.pixels(), to_even, constant_values=255)
    return Film(clip, panels, chrome, places, size, held_times(clip.timestamps))


def pictures(film: Reel, progress: Progress | None = None) -> Pictures:
    """Yield each picture when it is asked for; the one before is then written: tell so."""
    for index in range(len(film.held)):
        yield film.picture(index)
        if progress is not None:
            progress(index + 1, len(film.held))


def _tell(film: Film, picture: np.ndarray, index: int) -> None:
    """Write the frame and its time under the panels, and mark both on a line of time."""
    starts = [0.0, *accumulate(film.held[:-1])]
    band = picture[-(strip.MARGIN + _BELOW) :]
    drawn = Image.fromarray(band)
    pen = ImageDraw.Draw(drawn)
    words = f"frame {index} of {len(starts)}, {film.clip.timestamps[index]:.2f} s"
    pen.text((strip.MARGIN, 2), words, fill="black", font=_font())
    first, last, level = strip.MARGIN, picture.shape[1] - strip.MARGIN - 1, _BELOW - 8
    pen.line((first, level, last, level), fill=(190, 190, 190), width=2)

    def tick(frame: int, colour: tuple[int, int, int], reach: int) -> None:
        x = round(first + (last - first) * starts[frame] / (starts[-1] or 1))
        pen.rectangle((x - 1, level - reach, x + 1, level + reach + 1), fill=colour)

    for frame in film.references:
        tick(frame, overlay.GREEN, 6)
    tick(index, (0, 0, 0), 4)
    band[:] = np.asarray(drawn)


@cache
def _font() -> ImageFont.FreeTypeFont:
    file = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")
    return ImageFont.truetype(file, 12, layout_engine=ImageFont.Layout.BASIC)


def _mp4(film: Reel, pictures: Pictures) -> bytes:
    try:
        with TemporaryDirectory(prefix="nonlocal-viz-") as folder:
            # A file, because moving the index to the front (faststart) reads it again.
            path = Path(folder) / "movie.mp4"
            _encode(path, film, pictures)
            return path.read_bytes()
    except (av.FFmpegError, OSError) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise MachineError(
            f"The movie could not be encoded ({reason}); give the temporary folder room."
        ) from problem


def _encode(path: Path, film: Reel, pictures: Pictures) -> None:
    rate = Fraction(len(film.held) / sum(film.held)).limit_denominator(1000)
    ticks = whole_units(film.held, float(_CLOCK))
    starts = [0, *accumulate(ticks[:-1])]
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate, options=QUALITY)
        stream.height, stream.width = film.shape
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


def _gif(film: Reel, pictures: Pictures) -> bytes:
    palette = _palette(film)
    drawn = (Image.fromarray(picture).quantize(palette=palette) for picture in pictures)
    lasting = [10 * held for held in whole_units(film.held, 0.01, _SHORTEST_GIF)]
    packed, how = io.BytesIO(), {"save_all": True, "loop": 0, "optimize": False}
    next(drawn).save(packed, "GIF", append_images=drawn, duration=lasting, **how)
    return packed.getvalue()


def _palette(film: Reel) -> Image.Image:
    """Return one palette for all frames, made of some of them, with the marks' own colours."""
    total = len(film.held)
    chosen = {k * total // _PALETTE_FRAMES for k in range(_PALETTE_FRAMES)}
    chosen |= film.references
    few = np.concatenate([film.picture(index)[::2, ::2] for index in sorted(chosen)])
    marks = (overlay.GREEN, overlay.WHITE, (0, 0, 0))
    found = Image.fromarray(few).quantize(256 - len(marks), Image.Quantize.MEDIANCUT)
    colours = (found.getpalette() or [])[: 3 * (256 - len(marks))]
    found.putpalette([*colours, *(value for mark in marks for value in mark)])
    return found


def _webp(film: Reel, pictures: Pictures) -> bytes:
    first, rest = Image.fromarray(next(pictures)), _Reel(pictures, len(film.held) - 1)
    packed, how = io.BytesIO(), {"save_all": True, "loop": 0, "quality": _WEBP_QUALITY}
    others, lasting = [rest] if rest.n_frames else [], whole_units(film.held, 0.001)
    first.save(packed, "WEBP", append_images=others, duration=lasting, **how)
    next(pictures, None)  # the last frame has been written too
    return packed.getvalue()


class _Reel:
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
