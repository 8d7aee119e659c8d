"""The picker alone, on captures made by hand: browser against Python, pixel by pixel."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import TimeoutError, expect

from models.blocks.layout import Grid
from tests.browser.bare.bare_clips import small_maps_are_painted
from tests.browser.bare.bare_picker import (
    assert_same_picture,
    canvas_pictures,
    drawn,
    mount,
    painted,
    show,
)
from tests.browser.bare.shot_maps import map_of, moved
from tests.browser.conftest import cell_of, hover
from tests.browser.picker.conftest import COLS, ROWS, assert_painted
from tests.ui.drawn_scenes import (
    CLASS,
    TITLE,
    cgnl_block,
    drawn_scene,
    nonlocal_block,
    scene_of,
    shot_of,
)
from tests.ui.toy_kind import NearnessMaps, SentNearness
from ui.components.picker.canvas import canvas_geometry
from viz import geometry
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS
from viz.rendering.look import Look
from viz.types import Clip


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize("keys", [None, Grid(1, ROWS // 2, COLS // 2)], ids=["all", "pooled"])
def test_nonlocal_rows_are_painted_as_python_paints_them(page, clip, plan, name, keys):
    look = Look(threshold=0.3)
    found = drawn_scene(clip, nonlocal_block(name, keys=keys), plan=plan)
    mount(page, found, look)
    for x, y in ((0.02, 0.03), (0.5, 0.6), (0.97, 0.95)):
        hover(page, x, y)
        assert_painted(page, found, look)


@pytest.mark.parametrize("shown", ["head 2", "mean", "maximum"])
def test_heads_are_painted_as_python_paints_them(page, clip, plan, shown):
    look, block = Look(threshold=0.3), nonlocal_block("embedded_gaussian", heads=3)
    found = drawn_scene(clip, block, plan=plan, shown=MapChoice.parse(shown))
    mount(page, found, look)
    hover(page, 0.31, 0.72)
    assert_painted(page, found, look, shown)
    small_maps_are_painted(page)
    tags = page.locator(".thumb span").all_inner_texts()
    assert tags == ["h0", "h1", "h2", "mean", "maximum"]
    assert page.locator(".heading").all_inner_texts() == [f"{TITLE}: heads"]
    page.locator(".thumb").first.click()
    page.wait_for_function("window.sent.length === 1")
    assert page.evaluate("window.sent") == [["focus", "head 0"]]
    assert_painted(page, found, look, "head 0")


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
@pytest.mark.parametrize("shown", ["channel 2", "group 3"])
def test_cgnl_maps_are_painted_as_python_paints_them(page, clip, plan, kernel, order, shown):
    look = Look(threshold=0.5, colormap="jet", heat_opacity=0.8)
    found = drawn_scene(
        clip,
        cgnl_block(kernel, order),
        plan=plan,
        shown=MapChoice.parse(shown),
    )
    mount(page, found, look)
    hover(page, 0.31, 0.72)
    wanted = assert_painted(page, found, look, shown)
    label = f"{wanted.part} {wanted.number}"
    heading = " · channels by distinctiveness" if shown.startswith("channel") else ""
    words = f"{label}{heading} · scaled to the map's own minimum and maximum"
    expect(page.locator(".caption")).to_have_text(words)


@pytest.mark.parametrize("ranking", ["standout", "response", "contrast", "one per group"])
def test_channels_are_ranked_live_as_python_ranks_them(page, clip, plan, ranking):
    found = drawn_scene(clip, cgnl_block(), plan=plan, maps=ranking, count=4)
    mount(page, found, Look())
    for x, y in ((0.1, 0.9), (0.62, 0.33)):
        hover(page, x, y)
        at = moved(found.shots[0], 1, cell_of(page))
        small_maps_are_painted(page)
        shown = page.locator(".thumb span").all_inner_texts()
        best = at.kind.rank(at.block, at.cell, ranking)[:4]
        assert shown == [f"c{c}" for c in best] + [f"g{k}" for k in range(5)]


def test_a_listed_channel_stays_where_it_is(page, clip, plan):
    mount(page, drawn_scene(clip, cgnl_block(), plan=plan, maps="7,2"), Look())
    hover(page, 0.4, 0.4)
    assert page.locator(".thumb span").all_inner_texts()[:2] == ["c7", "c2"]


def test_cosines_beside_a_row_are_painted_as_python_paints_them(page, clip, plan):
    look, block = Look(threshold=0.6), nonlocal_block()
    found = scene_of(
        clip, shot_of(clip, block, plan=plan), shot_of(clip, block, plan=plan, kind="features")
    )
    mount(page, found, look)
    hover(page, 0.44, 0.21)
    assert_painted(page, found, look)
    assert_painted(page, found, look, panel=1)
    expect(page.locator(".readout")).to_contain_text("cosine ≈ 1.00 (rank 1 of 143)")


@pytest.mark.parametrize("kind", [NearnessMaps(), SentNearness()], ids=["computed", "sent"])
def test_a_kind_that_only_its_module_knows_is_drawn(page, clip, plan, monkeypatch, kind):
    monkeypatch.setitem(KINDS, kind.name, kind)
    look = Look(threshold=0.8)
    found = drawn_scene(clip, nonlocal_block(), row=4, col=5, plan=plan, kind=kind.name)
    mount(page, found, look)
    assert_painted(page, found, look)
    expect(page.locator(".caption")).to_contain_text("nearness")
    assert page.locator(".note").inner_text() == ""
    if kind.name == "nearness":
        hover(page, 0.9, 0.1)
        assert cell_of(page) == (1, 11)
        assert_painted(page, found, look)


def test_maps_without_a_reference_stay_and_have_no_boxes_and_no_arrows(
    page, clip, plan, monkeypatch
):
    kind = SentNearness()
    kind.referenced = False
    monkeypatch.setitem(KINDS, kind.name, kind)
    block = nonlocal_block()
    without = shot_of(clip, block, row=4, col=5, plan=plan, kind=kind.name)
    found = scene_of(clip, shot_of(clip, block, row=4, col=5, plan=plan), without)
    look = Look(threshold=0.5, arrows=20)
    mount(page, found, look)
    boxes = page.locator(".view").nth(1).locator(".box:visible")
    expect(page.locator(".view").first.locator(".box:visible")).to_have_count(2)
    expect(boxes).to_have_count(0)
    expect(page.locator(".view").nth(1).locator(".arrows .over:visible")).to_have_count(0)
    before = drawn(page, 1)
    hover(page, 0.9, 0.1)
    assert (drawn(page, 1) == before).all()
    expect(boxes).to_have_count(0)
    pinned = painted(canvas_pictures(found)[0], canvas_geometry(plan, clip), map_of(without), look)
    assert_same_picture(before, pinned)


def test_an_unknown_arithmetic_is_an_error_with_its_name(page, clip, plan, monkeypatch):
    kind = NearnessMaps()
    monkeypatch.setitem(KINDS, kind.name, kind)
    real = kind.browser
    monkeypatch.setattr(
        kind, "browser", lambda *given: replace(real(*given), arithmetic="divination")
    )
    found = drawn_scene(clip, nonlocal_block(), plan=plan, kind=kind.name)
    page.set_default_timeout(1500)
    with page.expect_event("pageerror") as problem, pytest.raises(TimeoutError):
        mount(page, found, Look())
    assert "divination is not an arithmetic of the picker" in str(problem.value)
    assert "rows, channels, static" in str(problem.value)
    page.expected_errors.append(str(problem.value))


@pytest.mark.parametrize("interpolation", ["smooth", "nearest"])
@pytest.mark.parametrize("normalise", ["clip", "fixed"])
def test_the_look_is_painted_as_python_paints_it(page, clip, plan, interpolation, normalise):
    look = Look(normalise, 0.4, "viridis", 0.35, interpolation, (-0.004, 0.008))
    found = drawn_scene(clip, nonlocal_block(), plan=plan)
    mount(page, found, look)
    hover(page, 0.7, 0.2)
    assert_painted(page, found, look)


@pytest.mark.parametrize("interpolation", ["smooth", "nearest"])
def test_one_wrong_cell_is_found(page, clip, plan, interpolation):
    """The comparison itself: a map that differs in one cell of 143 must not pass."""
    look = Look(threshold=0.3, interpolation=interpolation)
    found = drawn_scene(clip, nonlocal_block(), row=2, col=3, plan=plan)
    mount(page, found, look)
    right = map_of(found.shots[0])
    frame, seen = canvas_pictures(found)[0], canvas_geometry(plan, clip)
    assert_same_picture(drawn(page), painted(frame, seen, right, look))
    order = np.argsort(right.values.ravel())
    for position in (order[10], order[70], order[-5]):
        values = right.values.copy()
        low, high = values.min(), values.max()
        here = values.ravel()[position]
        values.ravel()[position] = low if here > (low + high) / 2 else high
        wrong = painted(frame, seen, replace(right, values=values), look)
        with pytest.raises(AssertionError, match="pixels are wrong"):
            assert_same_picture(drawn(page), wrong)


def test_a_centre_crop_leaves_the_rest_of_a_tall_picture_alone(page):
    frames = np.random.default_rng(1).integers(0, 256, (1, 701, 311, 3), dtype=np.uint8)
    tall = Clip(frames, (0.0,), "tall.png", "7" * 64)
    plan = geometry.center_crop(311, 701, 224, 224)
    look = Look(threshold=0.0)
    found = drawn_scene(tall, nonlocal_block(), row=5, col=6, plan=plan)
    mount(page, found, look)
    screen = drawn(page)
    assert_painted(page, found, look)
    assert (screen[:100] == canvas_pictures(found)[0][:100]).all()
    assert (screen[250:400] != canvas_pictures(found)[0][250:400]).any()


def test_a_constant_map_is_left_empty_with_a_note(page, clip, plan):
    block = nonlocal_block()
    flat = replace(block, queries=torch.zeros_like(block.queries))
    mount(page, drawn_scene(clip, flat, plan=plan), Look(threshold=0.0))
    assert (drawn(page) == clip.frames[0]).all()
    assert "constant" in page.locator(".note").inner_text()


def test_two_networks_with_different_grids_look_at_the_same_spot(page, clip, plan):
    look, coarse = Look(threshold=0.2), nonlocal_block(grid=Grid(1, 4, 5), seed=7)
    found = scene_of(
        clip, shot_of(clip, nonlocal_block(), plan=plan), shot_of(clip, coarse, plan=plan)
    )
    mount(page, found, look)
    hover(page, 0.81, 0.64)
    assert_painted(page, found, look)
    assert_painted(page, found, look, panel=1)


def test_names_are_text_and_never_markup(page, clip, plan):
    block = nonlocal_block("gaussian")
    mount(page, drawn_scene(clip, block, plan=plan), Look())
    assert page.locator(".title").inner_text() == TITLE
    assert page.locator(".prediction").inner_text() == f"{CLASS} 1.00"
    show(page, drawn_scene(clip, cgnl_block(), plan=plan), Look(), {0: "<i>by class</i>"})
    assert page.locator(".heading").first.inner_text() == f"{TITLE}: <i>by class</i>"
    assert page.locator(".picker b, .picker i").count() == 0


def test_a_picture_has_no_film_strip_and_nothing_to_play(page, clip, plan):
    mount(page, drawn_scene(clip, cgnl_block(), plan=plan), Look())
    assert page.locator(".film, .transport").count() == 0
    assert page.locator(".picker").get_attribute("data-frame") is None


def test_arrows_over_a_picture_end_at_the_highest_weights(page, clip, plan):
    found = drawn_scene(clip, nonlocal_block("concatenation"), row=2, col=3, plan=plan)
    mount(page, found, Look(arrows=20))
    values = map_of(found.shots[0]).values
    best = np.unravel_index(values.argmax(), values.shape)
    x, y = plan.cell_centre(int(best[1]), int(best[2]), Grid(1, ROWS, COLS))
    shape = page.locator(".arrows .over").last.get_attribute("d")
    box = page.locator(".stage").bounding_box()
    expected = (x * box["width"] / clip.width, y * box["height"] / clip.height)
    assert [float(v) for v in shape.split()[4:6]] == pytest.approx(expected, abs=1)
    assert page.locator(".arrows .over:visible").count() == 20
