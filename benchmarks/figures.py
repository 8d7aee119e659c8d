"""What figures cost: a parts figure against bare matplotlib saving the same arrays, and file sizes.

The preview in the browser is measured by benchmarks.browser.figures.
"""

import io
from collections.abc import Iterator

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as BareFigure

from benchmarks.timing import alternately
from viz.examples import bird
from viz.figure import api
from viz.figure.api import Figure
from viz.figure.draw import drawing
from viz.figure.keypoints import EVERY, Truth
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.recipe.recipe import Part

ROWS, PANELS, DPI, ROUNDS = 3, 8, 300, 7
NETWORKS = ("e2-nl", "e2-cgnl")
SHIFTS = ((0, 0), (-40, 60), (-90, 110))
"""Three references on the example bird, in pixels from its head."""
FORMATS = ("png", "pdf", "svg")


def parts_figure() -> Figure:
    """Return the example bird in 3 rows of 8 panels: input, NL, five channels, parts."""
    x, y = bird.HEAD
    points = [(x + dx, y + dy) for dx, dy in SHIFTS]
    parts = tuple(Part(f"part {k + 1}", *at) for k, at in enumerate(points))
    truth = Truth({EVERY: parts}, "points")
    return api.parts(
        ["example:bird"] * ROWS, NETWORKS, points, truth=truth, dpi=DPI, captions="(a)"
    )


def panel_arrays(made: Figure) -> list[np.ndarray]:
    """Return the pictures of the panels as our own drawing has them, row after row."""
    drawn = drawing.draw(made.panel_rows(), made.plan())
    images = [i for i in drawn.axes[0].images if (i.get_gid() or "").startswith("panel-")]
    return [np.asarray(image.get_array()) for image in images]


def bare(arrays: list[np.ndarray], kind: str, width_mm: float) -> bytes:
    """Return the same pictures in matplotlib's own grid, saved with nothing else."""
    height, width = arrays[0].shape[:2]
    inches = width_mm / MM_PER_INCH
    drawn = BareFigure((inches, inches * ROWS * height / (PANELS * width)), dpi=DPI)
    FigureCanvasAgg(drawn)
    for axes, array in zip(drawn.subplots(ROWS, PANELS).flat, arrays, strict=True):
        axes.imshow(array, interpolation="none")
        axes.set_axis_off()
    packed = io.BytesIO()
    drawn.savefig(packed, format=kind, dpi=DPI)
    return packed.getvalue()


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks figures`` prints, as they are measured."""
    made = parts_figure()
    arrays = panel_arrays(made)
    if len(arrays) != ROWS * PANELS:
        raise ValueError(f"{len(arrays)} panels were drawn, not {ROWS} x {PANELS}")
    for kind in FORMATS:
        runs = {
            # A figure of its own each time: one keeps its layout.
            "ours": lambda kind=kind: Figure(made.recipe, made.sources).content(kind),
            "bare": lambda kind=kind: bare(arrays, kind, made.recipe.layout.width_mm),
        }
        times = alternately(runs, ROUNDS)
        size, plain = (len(run()) / 1e3 for run in runs.values())
        yield (
            f"parts figure, {ROWS} x {PANELS} panels at {DPI} dpi, {kind}: {times['ours']:.2f} s, "
            f"{times['ours'] / times['bare']:.2f} of bare matplotlib saving the same arrays (goal "
            f"<= 1.50); {size:.0f} KB, bare {plain:.0f} KB"
        )
