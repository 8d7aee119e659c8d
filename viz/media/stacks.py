"""TIFFs of several pictures: the pages of one size are the frames of a clip."""

import io
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from errors import MediaError, counted
from viz.media import limits, pictures
from viz.media.frame_sets import RATE
from viz.media.pixels import levels as deep_levels
from viz.media.pixels import upright
from viz.media.pixels.upright import Pixels

_KIND_OF_PAGE = 254
_SMALLER_VERSION = 1
"""Bit of the tag NewSubfileType: the page is a smaller version of another."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Pages of a TIFF, by their numbers in the file; a page has no time, so frame n gets n / 25 s.

    ``levels`` are those of deep pages, see pictures.read.
    """

    content: bytes
    name: str
    pages: tuple[int, ...]
    width: int
    height: int
    notes: tuple[str, ...] = ()
    levels: tuple[float, float] | None = None

    @property
    def times(self) -> tuple[float, ...]:
        """Seconds of every frame, at 25 frames a second."""
        return tuple(k / RATE for k in range(len(self.pages)))

    def frames(self, numbers: Sequence[int], most: int = limits.MAX_SHOWN) -> Pixels:
        """Decode pages to (T, H, W, 3) uint8, halved until each has at most ``most`` pixels."""
        factor = limits.halvings(self.width, self.height, most)
        deadline = time.monotonic() + limits.PATIENCE

        def page(k: int, asked: tuple[float, float] | None) -> Pixels:
            limits.check_deadline(self.name, deadline)
            picture.seek(self.pages[k])
            return upright.upright(picture, self.content, asked, factor)

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with pictures.opened(self.content) as picture:
                    return upright.together(page, numbers, self.levels)
        except MediaError:
            raise
        except Exception as problem:  # Pillow's decoders raise almost anything on damaged files
            said = f"and cannot be decoded ({type(problem).__name__}); export it again as PNG."
            raise pictures.damaged(self.name, said, problem) from problem


def read(content: bytes, name: str, levels: tuple[float, float] | None = None) -> Stack | None:
    """List the pages of a TIFF; None where it is one picture.

    Pages are those of the first one's size; smaller versions of a page, as pyramids and thumbnails
    are, do not count. MediaError over the limits; what cannot be read is left to viz.media.pictures
    to refuse.
    """
    deep_levels.check(levels)
    limits.check_weight(name, len(content), limits.MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=("TIFF",)) as picture:
                sizes, cut = _sizes(picture, name)
                deep = upright.is_deep(picture, content)
    except MediaError:
        raise
    except Exception:  # refused by pictures.read, in its words
        return None
    first = sizes[0][1]
    pages = tuple(page for page, size in sizes if size == first)
    if (len(pages) < 2 and not cut) or (levels is not None and not deep):
        return None
    limits.check_size(name, *first)
    notes = [f"a stack of {counted(len(pages), 'picture')}, taken as frames, {RATE} a second"]
    if cut:
        notes.append("it is cut short or damaged behind them")
    if len(pages) < len(sizes):
        notes.append(f"{counted(len(sizes) - len(pages), 'page')} of other sizes left out")
    return Stack(content, name, pages, *first, tuple(notes), levels)


def _sizes(picture: Image.Image, name: str) -> tuple[list[tuple[int, tuple[int, int]]], bool]:
    """Return number and (width, height) of every page that is no smaller version of another, and
    whether the list of pages is damaged."""
    found, page = [(0, picture.size)], 0
    while True:
        page += 1
        limits.check_length(name, page, limits.MAX_IN_TURN)
        try:
            picture.seek(page)
        except EOFError:
            return found, False
        except Exception:  # Pillow raises almost anything on damaged files
            return found, True
        if not int(picture.tag_v2.get(_KIND_OF_PAGE, 0)) & _SMALLER_VERSION:
            found.append((page, picture.size))
