"""A figure of clips as a movie: the same panels, one frame of the clips after the other."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from errors import InputError, counted
from viz.figure.draw import drawing
from viz.figure.draw.moving import MovingPages
from viz.figure.files import export
from viz.figure.page import layout as page_layout
from viz.figure.page.plan import Plan
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels import presets
from viz.figure.panels.panel_rows import PanelRows, Picture, Row
from viz.figure.recipe.recipe import Recipe
from viz.figure.resolve import Sources
from viz.rendering import movie_files
from viz.rendering.movie_files import Progress
from viz.types import Clip

KINDS: dict[str, tuple[str, str]] = {
    name: (kind.title, kind.mime) for name, kind in movie_files.KINDS.items()
}
MOVING = ("view", "frames", "heatmaps", "arrows", "groups")
"""Presets that show clips frame by frame."""
LEAST_LETTER = 14
"""Size of the letters in pixels, below which a screen shows none that can be read."""
POINTS_PER_INCH = 72
_ROUNDS = 3
ENOUGH = 640
"""Width of a panel in pixels that is not exceeded unless the clip itself is wider."""


@dataclass(frozen=True, eq=False)
class FigureMovie:
    """The pictures of a figure's movie, methods side by side, drawn one at a time."""

    recipe: Recipe
    sources: Sources
    clip: Clip
    dpi: int
    held: list[float]

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Height and width of every picture in pixels, even numbers."""
        high, wide = self._pages.shape
        return high + high % 2, wide + wide % 2

    @property
    def references(self) -> set[int]:
        """The frames that the reference patches are in."""
        return {reference.frame for reference in self.recipe.references}

    def picture(self, index: int) -> np.ndarray:
        """Return one picture of the movie: (H, W, 3) uint8."""
        page, (high, wide) = self._page(index), self.shape
        if self._pages.fits(page):
            drawn = self._pages.draw(page)
        else:
            drawn = export.pixels(drawing.draw(*page, self.dpi), self.dpi)
        if drawn.shape == (high, wide, 3):
            return drawn
        out = np.full((high, wide, 3), 255, np.uint8)
        fitting = drawn[:high, :wide]
        out[: fitting.shape[0], : fitting.shape[1]] = fitting
        return out

    @cached_property
    def _pages(self) -> MovingPages:
        """What draws pages; the first and the last frame tell which words stay."""
        return MovingPages([self._page(0), self._page(len(self.held) - 1)])

    def _page(self, index: int) -> tuple[PanelRows, Plan]:
        found = presets.panel_rows(self.recipe, self.sources, (index,))
        panel_rows = _side_by_side(found, self.clip, index, self.dpi)
        return panel_rows, page_layout.plan(panel_rows)


def write(recipe: Recipe, sources: Sources, kind: str, progress: Progress | None = None) -> bytes:
    """Return the figure as a movie of ``kind``: every clip at its own frame, in true time.

    The same recipe gives the same bytes. InputError where there is nothing that moves, or clips
    have different numbers of frames.
    """
    made = movie(recipe, sources, movie_files.KINDS[kind].largest)
    return movie_files.KINDS[kind].write(made, movie_files.pictures(made, progress))


def movie(recipe: Recipe, sources: Sources, largest: int) -> FigureMovie:
    """Return the pictures of a movie of at most ``largest`` pixels across."""
    clips = [r.medium for r in recipe.references if r.medium.is_clip]
    if recipe.preset not in MOVING or not clips:
        raise InputError(
            f"A figure of the preset {recipe.preset} with {counted(len(clips), 'clip')} is no "
            f"movie; movies show clips in the presets {', '.join(MOVING)}. Save it as PDF, SVG or "
            "PNG."
        )
    counts = sorted({len(medium.frames) for medium in clips})
    if len(counts) > 1:
        raise InputError(
            f"Clips of {' and '.join(map(str, counts))} frames are no movie; a movie shows clips "
            "of the same number of frames."
        )
    clip = sources.clip(clips[0])
    first = presets.panel_rows(recipe, sources, (0,))
    plan = page_layout.plan(_side_by_side(first, clip, 0, recipe.layout.dpi))
    fitting = int(largest * MM_PER_INCH / max(plan.width, plan.height))
    widest = max(place.box.right - place.box.left for place in plan.places)
    # Panels far larger than the frames would only cost.
    enough = int(max(clip.width, ENOUGH) * MM_PER_INCH / widest)
    dpi = max(1, min(recipe.layout.dpi, fitting, enough))
    for _ in range(_ROUNDS):
        # Letters are larger on the page where there are fewer pixels, and so may be the page.
        plan = page_layout.plan(_side_by_side(first, clip, 0, dpi))
        dpi = max(1, min(dpi, int(largest * MM_PER_INCH / max(plan.width, plan.height))))
    return FigureMovie(recipe, sources, clip, dpi, movie_files.held_times(clip.timestamps))


def _side_by_side(panel_rows: PanelRows, clip: Clip, index: int, dpi: int) -> PanelRows:
    """Return the rows of one frame as columns, the frame and its time under the first."""
    count, last = len(clip.frames), f"{clip.timestamps[-1]:.2f}"
    # As many digits in every frame, so that the words break alike and nothing below them moves.
    time = (
        f"frame {index:0{len(str(count - 1))}} of {count}, "
        f"{clip.timestamps[index]:0{len(last)}.2f} s"
    )
    rows = [_headless(row) for row in panel_rows.rows]
    first = rows[0].panels[0]
    rows[0] = replace(rows[0], panels=(replace(first, label=time), *rows[0].panels[1:]))
    layout = panel_rows.layout
    font_pt = max(layout.font_pt, LEAST_LETTER * POINTS_PER_INCH / dpi)
    layout = replace(layout, transpose=True, columns=0, column_labels=(), dpi=dpi, font_pt=font_pt)
    return replace(panel_rows, rows=tuple(rows), layout=layout)


def _headless(row: Row) -> Row:
    """Return a row without the times over its panels, if it has one panel: those change."""
    if len(row.panels) > 1 or not isinstance(row.panels[0].content, Picture):
        return row
    return replace(row, panels=(replace(row.panels[0], head=""),))
