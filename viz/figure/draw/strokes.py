"""What artists tell the renderer, kept: the next page that has the same mark is told it again."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase

Call = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]


class Mark(NamedTuple):
    """One artist as the renderer saw it: how far on top it lies, and what it drew."""

    depth: float
    calls: list[Call]


class Strokes:
    """Draws the marks of one page after another over pixels that are there already.

    matplotlib takes far longer to make and measure an artist than the renderer takes to draw it,
    and most marks of a page were on the one before.
    """

    def __init__(self, renderer: RendererBase) -> None:
        self._renderer = renderer
        self._before: dict[Hashable, Mark] = {}
        self._page: list[tuple[Hashable, Mark | Artist]] = []

    def turn(self) -> None:
        """Begin another page; marks of one that was never drawn, as it failed, are dropped."""
        for _what, mark in self._page:
            if isinstance(mark, Artist):
                mark.remove()
        self._page = []

    def add(self, make: Callable[[], Artist], what: Hashable) -> None:
        """Note a mark of the page; ``make`` adds its artist to the axes, and
        ``what`` is all that it depends on."""
        self._page.append((what, self._before.get(what) or make()))

    def draw(self) -> None:
        """Draw the page's marks by depth, and take their artists off the axes."""
        page = sorted(self._page, key=lambda pair: _depth(pair[1]))
        self._page, here = [], {}
        for what, mark in page:
            here[what] = self._drawn(mark)
        self._before = here

    def _drawn(self, mark: Mark | Artist) -> Mark:
        if isinstance(mark, Mark):
            for call, values, named in mark.calls:
                call(*values, **named)
            return mark
        recorder = _Recorder(self._renderer)
        mark.draw(recorder)
        mark.remove()
        return Mark(mark.get_zorder(), recorder.calls)


def _depth(mark: Mark | Artist) -> float:
    return mark.depth if isinstance(mark, Mark) else mark.get_zorder()


class _Recorder:
    """A renderer that draws, and keeps what it was told to draw."""

    def __init__(self, renderer: RendererBase) -> None:
        self._real = renderer
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)
        if not name.startswith("draw_"):
            return found

        def drawn(*values: object, **named: object) -> object:
            self.calls.append((found, values, named))
            return found(*values, **named)

        return drawn
