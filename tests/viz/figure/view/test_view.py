"""What Explore and ``maps`` save, read back from its pixels: heat, marks and arrows in place."""

import matplotlib
import numpy as np
import pytest

from models.blocks.layout import Grid
from tests.viz.drawn_figures import Table, nl, pinned
from tests.viz.figure.view.conftest import (
    COLS,
    ROWS,
    coloured,
    green,
    grey,
    moving,
    near,
    noise,
    panel_of,
    pixels,
    viewed,
)
from viz.figure import composition
from viz.figure.api import Figure
from viz.figure.draw import rasters
from viz.geometry import fit
from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import Cell


def cells_of(panel, made, clip):
    """Return the cell (row, column) that each pixel of a panel lies in, by the geometry of clicks,
    and which pixels lie clearly inside of one."""
    high, wide = panel.shape[:2]
    where, grid = made.sources.geometry, Grid(1, ROWS, COLS)
    rows = [where.cell_at(1, (y + 0.5) / high * clip.height, grid)[0] for y in range(high)]
    cols = [where.cell_at((x + 0.5) / wide * clip.width, 1, grid)[1] for x in range(wide)]
    clear = [
        np.array([one[max(0, k - 2)] == one[min(len(one) - 1, k + 2)] for k in range(len(one))])
        for one in (rows, cols)
    ]
    place = np.add.outer(COLS * np.array(rows), cols)
    return place, np.logical_and.outer(*clear)


@pytest.mark.parametrize(("height", "width"), [(53, 67), (101, 31), (64, 64), (96, 160)])
def test_a_delta_lights_exactly_the_cell_of_its_frame(height, width):
    clip = grey(5, height, width)
    made = viewed(clip, moving(), frame=2)
    page = pixels(made)
    for t in range(5):
        panel = panel_of(page, made, 0, t)
        place, clear = cells_of(panel, made, clip)
        expected = place == COLS * (t % ROWS) + t % COLS
        # The green box of the reference, dark and green, is around another cell.
        box = 5 if t == 2 else -1
        lit = coloured(panel) & ~near(green(panel), box)
        here = clear & ~near(green(panel), box)
        np.testing.assert_array_equal(lit[here], expected[here])
        assert lit[here].any()


@pytest.mark.parametrize(("height", "width"), [(53, 67), (64, 64)])
def test_in_a_still_picture_a_delta_lights_exactly_its_cell(height, width):
    clip = grey(1, height, width)
    for row, col in ((0, 0), (1, 3), (2, 4)):
        values = np.zeros((1, ROWS, COLS), np.float32)
        values[0, row, col] = 0.25
        made = viewed(clip, values, at=(width - 1, 1) if col == 0 else (1, 1))
        panel = panel_of(pixels(made), made, 0, 0)
        place, clear = cells_of(panel, made, clip)
        lit = coloured(panel)
        here = clear & ~near(green(panel), 5) & (place != (0 if col else COLS - 1))
        np.testing.assert_array_equal(lit[here], (place == COLS * row + col)[here])


@pytest.mark.parametrize("frame", [0, 3])
def test_only_the_frame_of_the_reference_has_the_green_box_and_it_is_around_its_cell(frame):
    clip = grey(5)
    made = viewed(clip, np.zeros((5, ROWS, COLS)), frame=frame, at=(3.5 * 32, 1.5 * 32))
    page = pixels(made)
    for t in range(5):
        panel = panel_of(page, made, 0, t)
        y, x = np.nonzero(green(panel))
        assert bool(len(y)) == (t == frame)
        if t == frame:
            scale = panel.shape[1] / clip.width
            found = (y.min(), y.max() + 1, x.min(), x.max() + 1)
            expected = (32 * scale, 64 * scale, 96 * scale, 128 * scale)
            assert found == pytest.approx(expected, abs=4)


@pytest.mark.parametrize("look", [Look(threshold=0.4), Look(threshold=0.0, heat_opacity=0.3)])
def test_every_panel_is_the_frame_with_the_heat_of_its_moment(look):
    clip, values = noise(4), np.random.default_rng(3).random((2, ROWS, COLS))
    made = viewed(clip, values, values[::-1], look=look, frame=1)
    page = pixels(made)
    for row, maps in enumerate((values, values[::-1])):
        scaled = (maps - maps.min()) / np.ptp(maps)
        for t in (0, 2, 3):  # the reference's frame has marks on it
            panel = panel_of(page, made, row, t)
            high, wide = panel.shape[:2]
            base = rasters.scaled(clip.frames[t], wide, high).astype(float)
            level = heat.upsample(np.float32(scaled[t // 2 : t // 2 + 1]), high, wide, "smooth")[0]
            table = matplotlib.colormaps["inferno"](np.arange(256), bytes=True)[:, :3]
            tints = table[np.rint(level * 255).astype(int)]
            mixed = (1 - look.heat_opacity) * base + look.heat_opacity * tints
            shown, sure = level >= look.threshold, np.abs(level - look.threshold) > 1e-5
            expected = np.where(shown[..., None], mixed, base)
            assert np.abs(panel - expected)[sure].max() <= 3  # half a level of heat, and rounding
            assert 0 < shown.mean() < 1 or look.threshold == 0


@pytest.mark.parametrize("opacity", [0.25, 0.6, 1.0])
@pytest.mark.parametrize("interpolation", ["nearest", "smooth"])
def test_what_is_shown_is_picture_and_colour_mixed_by_the_opacity(opacity, interpolation):
    levels = np.array([0.0, 0.2, 0.7, 0.8, 1.0])
    look = Look("clip", 0.7, "viridis", opacity, interpolation)
    made = viewed(grey(1), levels[None, None].repeat(ROWS, 1), look=look, at=(150, 5))
    panel = panel_of(pixels(made), made, 0, 0)
    table = matplotlib.colormaps["viridis"].colors
    row, wide = panel.shape[0] // 2, panel.shape[1] / COLS
    for k, value in enumerate(levels):
        # In the middle of a cell both have its own value, but for half a pixel.
        found = panel[row, round((k + 0.5) * wide)]
        colour = np.trunc(255 * np.array(table[round(value * 255)]))
        mixed = (1 - opacity) * 100 + opacity * colour if value > 0.7 else np.full(3, 100)
        if value != 0.7 or interpolation == "nearest":
            if value == 0.7:  # at the threshold it is kept
                mixed = (1 - opacity) * 100 + opacity * colour
            assert np.abs(found - mixed).max() <= 3, (value, found, mixed)


def test_frames_that_share_a_moment_share_its_heat():
    made = viewed(grey(4), moving(2), at=(150, 5))
    page = pixels(made)
    panels = [panel_of(page, made, 0, t) for t in range(4)]
    row, column = panels[0].shape[0] // ROWS + 9, panels[0].shape[1] // COLS + 9
    lit = [coloured(panel[row:, column:]).any() for panel in panels]
    assert lit == [False, False, True, True]


def test_a_picture_that_is_held_still_shows_the_first_moment():
    values = moving(4)
    made = viewed(grey(1), values, at=(150, 90))
    panel = panel_of(pixels(made), made, 0, 0)
    wide, high = panel.shape[1] // COLS, panel.shape[0] // ROWS
    assert coloured(panel)[5 : high - 5, 5 : wide - 5].all()
    assert not coloured(panel)[high + 5 : 2 * high - 9, wide + 5 :].any()


def test_arrows_go_from_the_reference_to_the_highest_values():
    clip, values = grey(5), moving()
    values[4] *= 2  # the highest of all: frame 4, row 1, column 4
    asked = {"frame": 2, "at": (3.5 * 32, 1.5 * 32)}
    plain = viewed(clip, values, look=Look(threshold=1.0), **asked)
    drawn = viewed(clip, values, look=Look(threshold=1.0, arrows=1), **asked)
    changed = (pixels(plain) != pixels(drawn)).any(-1)
    scale = panel_of(changed, drawn, 0, 2).shape[1] / clip.width
    start = round(3.5 * 32 * scale), round(48 * scale)
    end = round(4.5 * 32 * scale), round(48 * scale)
    assert panel_of(changed, drawn, 0, 2)[start[1] - 4 : start[1] + 4, start[0] + 9].any()
    assert panel_of(changed, drawn, 0, 4)[end[1] - 4 : end[1] + 5, end[0] - 9 : end[0]].any()
    assert not panel_of(changed, drawn, 0, 4)[:, end[0] + 9 :].any()
    assert panel_of(changed, drawn, 0, 3).any()  # it crosses what lies between
    assert not panel_of(changed, drawn, 0, 0).any()


def arrows_of(made):
    return made.panel_rows().rows[0].arrows


def test_an_arrow_ends_in_the_middle_of_the_strongest_cell_in_a_frame_of_its_moment():
    values = np.zeros((2, ROWS, COLS), np.float32)
    values[1, 0, 4] = 1
    made = viewed(grey(6), values, look=Look(arrows=1), at=(3.5 * 32, 1.5 * 32))
    ((start, end),) = arrows_of(made)
    assert (start.column, start.x, start.y) == (0, 3.5 * 32, 1.5 * 32)
    assert (end.column, end.x, end.y) == (4, 4.5 * 32, 0.5 * 32)  # frames 3, 4, 5 share moment 1


def test_a_held_still_gets_arrows_into_the_moment_that_is_drawn():
    values = moving(4)
    values[0, 0, 0], values[3] = 0.5, 9
    made = viewed(grey(1), values, look=Look(arrows=1), at=(3.5 * 32, 1.5 * 32))
    ((_, end),) = arrows_of(made)
    assert (end.column, end.x, end.y) == (0, 16, 16)
    plain, drawn = (pixels(viewed(grey(1), values, look=Look(arrows=n))) for n in (0, 3))
    assert (plain != drawn).any()


@pytest.mark.parametrize("frames", [1, 3])
def test_the_same_view_is_the_same_bytes_and_leaves_matplotlib_as_it_was(frames):
    before = dict(matplotlib.rcParams)
    first, second = (
        viewed(noise(frames), moving(frames), look=Look(arrows=5)).content("png") for _ in range(2)
    )
    assert first == second
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("interpolation", ["smooth", "nearest"])
def test_a_constant_map_is_a_view_without_heat_and_says_so(frames, interpolation):
    clip, flat = grey(frames), np.full((frames, ROWS, COLS), 0.2)
    made = viewed(clip, flat, look=Look(threshold=0.0, interpolation=interpolation))
    page = pixels(made)
    panel = panel_of(page, made, 0, frames - 1)
    assert not (coloured(panel) & ~near(green(panel), 6)).any()
    said = " ".join(words.text for words in made.plan().words)
    assert "(constant map, nothing shown)" in said


def test_keys_of_another_grid_are_shown_where_they_lie():
    block = nl(Grid(1, ROWS, COLS), Grid(1, 2, 3))
    sources = Table({"clip": grey()}, {("clip", "nl"): block}, fit(160, 96, 160, 32))
    recipe = composition.view_recipe([pinned("clip", ("nl",), at=(150, 90))], Look())
    (panel,) = Figure(recipe, sources).panel_rows().rows[0].panels
    assert panel.content.shade.heat.values.shape == (1, 2, 3)
    assert panel.content.reference.left == 128
    assert panel.label == "reference row 2, column 4"
    assert Figure(recipe, sources).content("png")
    assert Cell(0, 2, 4).position(block.query_grid) == 14
