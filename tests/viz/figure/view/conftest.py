"""Views of maps that are known by hand, and their pixels by panel."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from tests.viz.drawn_figures import Table, answering, pinned
from tests.viz.drawn_figures import view as seen_by
from viz.figure import composition
from viz.figure.api import Figure
from viz.geometry import fit
from viz.rendering.look import Look
from viz.types import Clip

ROWS, COLS = 3, 5
NEAREST = Look(interpolation="nearest")


def grey(frames=1, height=96, width=160, value=100) -> Clip:
    pixels = np.full((frames, height, width, 3), value, np.uint8)
    return Clip(pixels, tuple(0.25 * k for k in range(frames)), "grey", "2" * 64)


def noise(frames=1, height=96, width=160) -> Clip:
    pixels = np.random.default_rng(2).integers(0, 255, (frames, height, width, 3), np.uint8)
    return replace(grey(frames, height, width), frames=pixels)


def moving(moments=5, rows=ROWS, cols=COLS):
    """(T, 3, 5): in moment t the cell (t mod 3, t mod 5) is 1, the others 0."""
    values = np.zeros((moments, rows, cols), np.float32)
    for t in range(moments):
        values[t, t % rows, t % cols] = 1
    return values


def viewed(clip, *maps, look=NEAREST, frame=0, at=None, label="", dpi=100) -> Figure:
    """Return the view of maps (T, h, w), each of a network of its own, in a clip."""
    where = fit(clip.width, clip.height, 160, 32)
    blocks = {("clip", f"n{k}"): answering(values) for k, values in enumerate(maps)}
    networks = [seen_by(f"n{k}", label=label or f"net {k}") for k in range(len(maps))]
    count = len(clip.frames)
    taken = count if count > 1 else 0
    at = at or (clip.width / 2, clip.height / 2)
    reference = pinned("clip", networks, at=at, frame=frame, frames=taken)
    recipe = composition.view_recipe([reference], look)
    recipe = replace(recipe, layout=replace(recipe.layout, dpi=dpi))
    return Figure(recipe, Table({"clip": clip}, blocks, where))


def pixels(made: Figure) -> np.ndarray:
    with Image.open(io.BytesIO(made.content("png"))) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


def panel_of(page, made, row, column):
    """Return the pixels of a panel."""
    box, dpi = made.plan().place(row, column).box, made.recipe.layout.dpi
    left, top, right, bottom = (
        round(v / 25.4 * dpi) for v in (box.left, box.top, box.right, box.bottom)
    )
    return page[top:bottom, left:right]


def coloured(panel):
    return np.ptp(panel, axis=-1) > 40


def green(panel):
    """Say where the box of the reference is: inferno has no such green."""
    return panel[..., 1] - panel[..., ::2].max(-1) > 40


def near(mask, away):
    """Return what is at most ``away`` pixels from a true one; nothing for -1."""
    out = np.zeros_like(mask)
    if away < 0:
        return out
    for dy in range(-away, away + 1):
        for dx in range(-away, away + 1):
            out |= np.roll(mask, (dy, dx), (0, 1))
    return out
