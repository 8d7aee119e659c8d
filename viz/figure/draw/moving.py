"""The pictures of a movie: what stays from frame to frame is drawn once, the rest over it."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg

from viz.figure.draw import drawing
from viz.figure.draw.settings import fixed_settings
from viz.figure.page.plan import Plan, Words
from viz.figure.panels.panel_rows import PanelRows, Picture

Page = tuple[PanelRows, Plan]


class MovingPages:
    """Draws pages that are laid out alike: only panels, marks and some words differ.

    ``pages`` are two of them: words that both have stay. Panels lie on whole pixels of the layout's
    resolution, so that they are put in place as they are.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        panel_rows, self._plan = pages[0]
        self._words = {words for words in self._plan.words if words in pages[-1][1].words}
        with fixed_settings():
            self._canvas = drawing.blank(panel_rows, self._plan, panel_rows.layout.dpi)
            self._agg = FigureCanvasAgg(self._canvas.axes.figure)
            drawing.around(self._canvas, self._words)
            self._agg.draw()
            self._base = np.asarray(self._agg.buffer_rgba()).copy()
        self._kept = list(self._canvas.axes.get_children())

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of every page in pixels."""
        return self._base.shape[:2]

    def fits(self, page: Page) -> bool:
        """Tell whether a page is laid out as the others are."""
        panel_rows, plan = page
        return (
            [place.box for place in plan.places] == [place.box for place in self._plan.places]
            and (plan.bars, plan.dots) == (self._plan.bars, self._plan.dots)
            and self._words <= set(plan.words)
            and all(isinstance(panel.content, Picture) for _, _, panel in panel_rows.panels)
        )

    def draw(self, page: Page) -> np.ndarray:
        """Return a page that ``fits``: (H, W, 3) uint8."""
        panel_rows, plan = page
        canvas = self._canvas._replace(panel_rows=panel_rows, plan=plan, bases=[])
        pixels = np.asarray(self._agg.get_renderer().buffer_rgba())
        with fixed_settings():
            pixels[:] = self._base
            for place in plan.places:
                made = drawing.raster_of(canvas, place)
                rows, cols = drawing.pixels_of(canvas, place.box)
                pixels[rows, cols] = cv2.cvtColor(made.pixels, cv2.COLOR_RGB2RGBA)
                drawing.marks_of(canvas, place, made)
            drawing.arrows(canvas)
            self._write(canvas, (words for words in plan.words if words not in self._words))
            self._draw_new()
        return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB)

    def _write(self, canvas: drawing.Canvas, some: Iterable[Words]) -> None:
        for number, words in enumerate(some):
            canvas.write(words, f"words-{number}")

    def _draw_new(self) -> None:
        """Draw what was added to the axes over the pixels that are there, and take it off again."""
        new: list[Artist] = [a for a in self._canvas.axes.get_children() if a not in self._kept]
        for artist in sorted(new, key=lambda one: one.get_zorder()):
            artist.draw(self._agg.get_renderer())
        for artist in new:
            artist.remove()
