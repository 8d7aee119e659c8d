"""The picker alone, on captures made by hand: browser against Python, pixel by pixel."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from models.blocks import kernels, pairwise
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from models.specs.placement import Place
from tests.browser.bare.bare_picker import assert_same_picture, drawn, mount, noise, show
from tests.browser.conftest import cell_of, hover
from ui.components.picker.payload import Panel, canvas_frames, canvas_geometry
from viz import geometry
from viz.attention import pipeline
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channels import CGNLCapture, channel_map, group_map, rank
from viz.attention.pipeline import Channels
from viz.examples import bird
from viz.rendering import heat, overlay
from viz.rendering.look import Look
from viz.types import Cell, Clip

ROWS, COLS, WIDTH = 11, 13, 7


def nonlocal_block(name, pooled=False):
    width = 1 if name == "concatenation" else WIDTH
    keys = Grid(1, ROWS // 2, COLS // 2) if pooled else Grid(1, ROWS, COLS)
    return NonLocalCapture(
        Place(4, 4),
        noise(ROWS * COLS, width),
        noise(keys.cells, width, seed=1),
        pairwise.pairwise(name, WIDTH, scaled=True),
        Grid(1, ROWS, COLS),
        keys,
        noise(1),
    )


def cgnl_block(kernel="dot_product", order=3, groups=5):
    theta, phi, g = (noise(groups * 3, ROWS * COLS, seed=s) for s in (2, 3, 4))
    spec = CGNLSpec(kernel=kernel, order=order, groups=groups, gamma=0.3)
    grid = Grid(1, ROWS, COLS)
    return CGNLCapture(Place(4, 4), theta, phi, g, kernels.kernel(spec), groups, grid, noise(1))


AUTO = Channels()


def panel_of(block, plan, channels=AUTO):
    return Panel(
        str(id(block)), "title <b>", "name <i>", plan, block, Cell(0, 2, 3), channels, "how"
    )


def painted(clip, plan, attention, look):
    """What Python paints on the picture that the canvas shows."""
    frame = np.asarray(Image.open(io.BytesIO(canvas_frames(clip)[0])).convert("RGB"))
    small = replace(clip, frames=frame[None])
    return overlay.paint(small, canvas_geometry(plan, clip), heat.normalise(attention, look), look)[
        0
    ]


@pytest.fixture
def clip():
    return bird.clip()


@pytest.fixture
def plan(clip):
    return geometry.fit(clip.width, clip.height, 224, 32)


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize("pooled", [False, True])
def test_nonlocal_rows_are_painted_as_python_paints_them(page, clip, plan, name, pooled):
    block, look = nonlocal_block(name, pooled), Look(threshold=0.3)
    mount(page, clip, [panel_of(block, plan)], look)
    for x, y in ((0.02, 0.03), (0.5, 0.6), (0.97, 0.95)):
        hover(page, x, y)
        cell = Cell(0, *cell_of(page))
        [expected] = pipeline.maps_at(block, cell, Channels())
        assert_same_picture(drawn(page), painted(clip, plan, expected, look))


@pytest.mark.parametrize(
    ("kernel", "order"),
    [
        ("dot_product", 3),
        ("embedded_gaussian", 3),
        ("gaussian_rbf", 3),
        ("embedded_gaussian", None),
        ("dot_product", None),
    ],
)
@pytest.mark.parametrize("focus", ["channel 2", "group 3"])
def test_cgnl_maps_are_painted_as_python_paints_them(page, clip, plan, kernel, order, focus):
    block, look = cgnl_block(kernel, order), Look(threshold=0.5, colormap="jet", heat_opacity=0.8)
    mount(page, clip, [panel_of(block, plan)], look, focus)
    hover(page, 0.31, 0.72)
    cell = Cell(0, *cell_of(page))
    if focus.startswith("group"):
        expected = group_map(block, cell, 3)
    else:
        expected = channel_map(block, cell, rank(block, cell)[1])
    assert_same_picture(drawn(page), painted(clip, plan, expected, look))


@pytest.mark.parametrize("ranking", ["standout", "response", "contrast", "one per group"])
def test_channels_are_ranked_live_as_python_ranks_them(page, clip, plan, ranking):
    block = cgnl_block()
    mount(page, clip, [panel_of(block, plan, Channels(ranking, 4))], Look())
    for x, y in ((0.1, 0.9), (0.62, 0.33)):
        hover(page, x, y)
        cell = Cell(0, *cell_of(page))
        picker = page.locator(".picker")
        expect(picker).to_have_attribute("data-small", picker.get_attribute("data-draws"))
        shown = page.locator(".thumb span").all_inner_texts()[:4]
        assert shown == [f"c{c}" for c in rank(block, cell, ranking, 4)]


def test_a_listed_channel_stays_where_it_is(page, clip, plan):
    mount(page, clip, [panel_of(cgnl_block(), plan, Channels(listed=(7, 2)))], Look())
    hover(page, 0.4, 0.4)
    assert page.locator(".thumb span").all_inner_texts()[:2] == ["c7", "c2"]


@pytest.mark.parametrize("interpolation", ["smooth", "nearest"])
@pytest.mark.parametrize("normalise", ["clip", "fixed"])
def test_the_look_is_painted_as_python_paints_it(page, clip, plan, interpolation, normalise):
    block = nonlocal_block("dot_product")
    look = Look(normalise, 0.4, "viridis", 0.35, interpolation, (-0.2, 0.3))
    mount(page, clip, [panel_of(block, plan)], look)
    hover(page, 0.7, 0.2)
    [expected] = pipeline.maps_at(block, Cell(0, *cell_of(page)), Channels())
    assert_same_picture(drawn(page), painted(clip, plan, expected, look))


def test_a_centre_crop_leaves_the_rest_of_a_tall_picture_alone(page):
    frames = np.random.default_rng(1).integers(0, 256, (1, 701, 311, 3), dtype=np.uint8)
    tall = Clip(frames, (0.0,), "tall.png", "t")
    plan = geometry.center_crop(311, 701, 224, 224)
    block, look = nonlocal_block("embedded_gaussian"), Look(threshold=0.0)
    mount(page, tall, [panel_of(block, plan)], look)
    hover(page, 0.5, 0.5)
    [expected] = pipeline.maps_at(block, Cell(0, *cell_of(page)), Channels())
    assert_same_picture(drawn(page), painted(tall, plan, expected, look))
    before = page.locator(".picker").get_attribute("data-cell")
    hover(page, 0.5, 0.02)
    assert cell_of(page) == (2, 3), f"outside the view the pin shows, not {before}"


def test_a_constant_map_is_left_empty_with_a_note(page, clip, plan):
    block = nonlocal_block("dot_product")
    flat = replace(block, queries=torch.zeros_like(block.queries))
    mount(page, clip, [panel_of(flat, plan)], Look(threshold=0.0))
    assert (drawn(page) == clip.frames[0]).all()
    assert "constant" in page.locator(".note").inner_text()


def test_two_networks_with_different_grids_look_at_the_same_spot(page, clip, plan):
    coarse = NonLocalCapture(
        Place(5, 1),
        noise(20, 3),
        noise(20, 3),
        pairwise.pairwise("dot_product", 3, False),
        Grid(1, 4, 5),
        Grid(1, 4, 5),
        noise(1),
    )
    look = Look(threshold=0.2)
    mount(page, clip, [panel_of(nonlocal_block("dot_product"), plan), panel_of(coarse, plan)], look)
    hover(page, 0.81, 0.64)
    row, col = cell_of(page)
    x, y = plan.cell_centre(row, col, Grid(1, ROWS, COLS))
    [expected] = pipeline.maps_at(coarse, Cell(0, *plan.cell_at(x, y, Grid(1, 4, 5))), Channels())
    assert_same_picture(drawn(page, 1), painted(clip, plan, expected, look))


def test_names_are_text_and_never_markup(page, clip, plan):
    mount(page, clip, [panel_of(nonlocal_block("gaussian"), plan)], Look())
    assert page.locator(".title").inner_text() == "title <b>"
    assert page.locator(".prediction").inner_text() == "name <i>"


def test_arrows_move_enter_pins_and_escape_goes_back(page, clip, plan):
    mount(page, clip, [panel_of(nonlocal_block("gaussian"), plan)], Look())
    page.locator("canvas.picture").focus()
    for key, expected in (("ArrowDown", "3,3"), ("ArrowRight", "3,4"), ("ArrowUp", "2,4")):
        page.keyboard.press(key)
        page.wait_for_selector(f".picker[data-cell='{expected}']")
    page.keyboard.press("Escape")
    page.wait_for_selector(".picker[data-cell='2,3']")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector(".picker[data-cell='2,2']")
    assert page.evaluate("window.sent") == [["pick", {"row": 2, "col": 2}]]
    assert "row 2 column 2" in page.locator(".unseen").inner_text()


def test_holding_the_pin_reads_values_without_moving_the_reference(page, clip, plan):
    block = nonlocal_block("dot_product")
    mount(page, clip, [panel_of(block, plan)], Look())
    page.locator(".hold input").check()
    before = drawn(page)
    hover(page, 0.9, 0.9)
    assert (drawn(page) == before).all()
    [held] = pipeline.maps_at(block, Cell(0, 2, 3), Channels())
    row, col = plan.cell_at(0.9 * 640, 0.9 * 480, Grid(1, ROWS, COLS))
    value = held.values[0, row, col]
    above = int((held.values > value).sum())
    readout = page.locator(".readout").inner_text()
    assert f"row {row} column {col}" in readout
    assert f"rank {above + 1} of {ROWS * COLS}" in readout


def test_new_data_replaces_the_old_in_place(page, clip, plan):
    block = nonlocal_block("dot_product")
    mount(page, clip, [panel_of(block, plan)], Look(threshold=0.9))
    first = drawn(page)
    show(page, clip, [panel_of(block, plan)], Look(threshold=0.1))
    assert (drawn(page) != first).any()
    assert page.locator("canvas.picture").count() == 1


def test_a_picture_has_no_film_strip_and_nothing_to_play(page, clip, plan):
    mount(page, clip, [panel_of(cgnl_block(), plan)], Look())
    assert page.locator(".film, .transport").count() == 0
    assert page.locator(".picker").get_attribute("data-frame") is None


def test_arrows_over_a_picture_end_at_the_highest_weights(page, clip, plan):
    block = nonlocal_block("concatenation")
    mount(page, clip, [panel_of(block, plan)], Look(arrows=20))
    [row] = pipeline.maps_at(block, Cell(0, 2, 3), Channels())
    best = np.unravel_index(row.values.argmax(), row.values.shape)
    x, y = plan.cell_centre(int(best[1]), int(best[2]), Grid(1, ROWS, COLS))
    shape = page.locator(".arrows .over").last.get_attribute("d")
    box = page.locator(".stage").bounding_box()
    expected = (x * box["width"] / clip.width, y * box["height"] / clip.height)
    assert [float(v) for v in shape.split()[4:6]] == pytest.approx(expected, abs=1)
    assert page.locator(".arrows .over:visible").count() == 20
