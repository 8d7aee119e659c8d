"""The pictures of a movie: what stays from frame to frame is drawn once, the rest over it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from viz.figure.draw import drawing
from viz.figure.draw.settings import fixed_settings
from viz.figure.draw.strokes import Strokes
from viz.figure.page.plan import Plan, Words
from viz.figure.panels.panel_rows import PanelRows, Picture

Page = tuple[PanelRows, Plan]


def _ground(panel_rows: PanelRows) -> tuple[object, ...]:
    """Return what the unmoving part of a page depends on, beside its plan: all but the cut."""
    look = replace(panel_rows.look, threshold=0.0, share=0.0, heat_opacity=0.0)
    return panel_rows.layout, look


class MovingPages:
    """Draws pages that are laid out alike: only panels, marks, some words and the cut differ.

    ``pages`` are two of them: words that both have stay, and colour bars where both have one look.
    Panels lie on whole pixels of the resolution (the layout's, or ``dpi``), so that they are put in
    place as they are.
    """

    def __init__(self, pages: Sequence[Page], dpi: int | None = None) -> None:
        panel_rows, self._plan = pages[0]
        other, other_plan = pages[-1]
        self._ground = _ground(panel_rows)
        self._words = {words for words in self._plan.words if words in other_plan.words}
        self._bars = self._plan.bars if panel_rows.look == other.look else ()
        self._look = panel_rows.look
        with fixed_settings():
            self._canvas = drawing.blank(panel_rows, self._plan, dpi or panel_rows.layout.dpi)
            self._agg = FigureCanvasAgg(self._canvas.axes.figure)
            drawing.around(self._canvas, self._words, self._bars)
            self._agg.draw()
            self._base = np.asarray(self._agg.buffer_rgba()).copy()
        self._strokes = Strokes(self._agg.get_renderer())

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of every page in pixels."""
        return self._base.shape[:2]

    def fits(self, page: Page) -> bool:
        """Tell whether a page is laid out as the others are."""
        panel_rows, plan = page
        return (
            [place.box for place in plan.places] == [place.box for place in self._plan.places]
            and plan.dots == self._plan.dots
            and _ground(panel_rows) == self._ground
            and (not self._bars or (plan.bars, panel_rows.look) == (self._bars, self._look))
            and self._words <= set(plan.words)
            and all(isinstance(panel.content, Picture) for _, _, panel in panel_rows.panels)
        )

    def draw(self, page: Page) -> np.ndarray:
        """Return a page that ``fits``: (H, W, 3) uint8."""
        panel_rows, plan = page
        canvas = self._canvas._replace(panel_rows=panel_rows, plan=plan, strokes=self._strokes)
        canvas.bases.turn()
        self._strokes.turn()
        pixels = np.asarray(self._agg.get_renderer().buffer_rgba())
        with fixed_settings():
            pixels[:] = self._base
            for place in plan.places:
                made = drawing.raster_of(canvas, place)
                rows, cols = drawing.pixels_of(canvas, place.box)
                # At another resolution a panel at the edge may be rounded over it.
                room = pixels[rows, cols]
                high, wide = room.shape[:2]
                room[:] = cv2.cvtColor(made.pixels, cv2.COLOR_RGB2RGBA)[:high, :wide]
                drawing.marks_of(canvas, place, made)
            drawing.arrows(canvas)
            drawing.matches(canvas)
            if not self._bars:
                drawing.colour_bars(canvas, plan.bars)
            self._write(canvas, (words for words in plan.words if words not in self._words))
            self._strokes.draw()
        return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB)

    def _write(self, canvas: drawing.Canvas, some: Iterable[Words]) -> None:
        for number, words in enumerate(some):
            canvas.write(words, f"words-{number}")


class Drafts:
    """Draws one figure after another at a resolution for screens, of the same kind most of the
    time: what does not change from one to the next is drawn once.
    """

    def __init__(self) -> None:
        self._last: Page | None = None
        self._dpi = 0
        self._moving: MovingPages | None = None

    def draw(self, page: Page, dpi: int) -> np.ndarray | None:
        """Return the page, (H, W, 3) uint8; None where it holds more than pictures."""
        panel_rows, _plan = page
        if not all(isinstance(panel.content, Picture) for _, _, panel in panel_rows.panels):
            return None
        if self._moving is None or dpi != self._dpi or not self._moving.fits(page):
            self._moving = MovingPages((page, self._last or page), dpi)
        self._last, self._dpi = page, dpi
        return self._moving.draw(page)
