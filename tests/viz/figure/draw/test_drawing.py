"""Figures read back: every artist by its gid, where it stands in mm, and what it says."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import FancyArrowPatch

from tests.viz.drawn_figures import gate_layers, heat_of, lit, picture, sheet_of, table
from tests.viz.figure.draw.conftest import HEAT, box_of, corners, drawn, named, rectangle_of, rgb
from viz.figure.draw import rasters
from viz.figure.files import export
from viz.figure.panels.gates import bars
from viz.figure.panels.panel_rows import Matrix, Panel, Picture, Point, Row, Shade, Spot
from viz.geometry import Box, Geometry
from viz.rendering import marks
from viz.rendering.look import Look

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dpi", [None, 100, 299])
def test_every_panel_is_an_image_in_its_place_of_its_size_in_pixels(dpi):
    panel_rows = table(2, 3, 0.7, width_mm=89.0)
    figure, found = drawn(panel_rows, dpi)
    images = named(figure, "panel-")
    assert set(images) == {f"panel-{r}-{k}" for r in range(2) for k in range(3)}
    for place in found.places:
        image = images[f"panel-{place.row}-{place.column}"]
        assert box_of(image) == pytest.approx(corners(place.box))
        high, wide, _rgb = image.get_array().shape
        assert wide == round((place.box.right - place.box.left) / 25.4 * (dpi or 300))
        assert high == round((place.box.bottom - place.box.top) / 25.4 * (dpi or 300))
        assert image.get_interpolation() == "none"


def test_the_page_is_in_mm_from_its_upper_left_corner():
    figure, found = drawn(table(2, 2))
    width, height = figure.get_size_inches()
    assert (25.4 * width, 25.4 * height) == pytest.approx((found.width, found.height))
    (axes,) = figure.axes
    assert axes.get_position().bounds == (0, 0, 1, 1)
    assert axes.get_xlim() == (0, found.width)
    assert axes.get_ylim() == (found.height, 0)


def test_a_saved_figure_shows_every_pixel_of_its_panels():
    frame = np.random.default_rng(3).integers(0, 256, (48, 60, 3)).astype(np.uint8)
    panel_rows = sheet_of([[Panel(replace(picture(), frame=frame))] * 2], bar="none", dpi=150)
    figure, found = drawn(panel_rows)
    page = export.pixels(figure, 150)
    for place in found.places:
        left, top, right, bottom = (round(v / 25.4 * 150) for v in corners(place.box))
        expected = rasters.scaled(frame, right - left, bottom - top)
        np.testing.assert_array_equal(page[top:bottom, left:right], expected)


def mm(place, x, y):
    """Return where pixel (x, y) of a panel's picture is on the page, by hand."""
    crop, box = place.panel.content.crop, place.box
    share_x = (x - crop.left) / (crop.right - crop.left)
    share_y = (y - crop.top) / (crop.bottom - crop.top)
    return (
        box.left + share_x * (box.right - box.left),
        box.top + share_y * (box.bottom - box.top),
    )


@pytest.mark.parametrize("crop", [Box(0, 0, 60, 48), Box(6, 5, 41, 33)])
def test_the_reference_is_a_green_rectangle_around_its_cell(crop):
    content = replace(picture(), crop=crop, reference=Box(12, 8, 24, 16))
    figure, found = drawn(sheet_of([[Panel(picture()), Panel(content)]]))
    ((gid, patch),) = ((g, p) for g, p in named(figure, "reference-").items() if "edge" not in g)
    assert gid == "reference-0-1"
    place = found.place(0, 1)
    expected = (*mm(place, 12, 8), *mm(place, 24, 16))
    assert rectangle_of(patch) == pytest.approx(expected)
    assert rgb(patch) == marks.GREEN
    assert not patch.get_fill()


def test_marks_at_the_edge_are_held_inside_their_panel():
    content = replace(
        picture(), crop=Box(20, 10, 50, 34), reference=Box(10, 5, 30, 20),
        regions=(Box(0, 0, 60, 48), Box(0, 0, 10, 8)),
    )  # fmt: skip
    figure, found = drawn(sheet_of([[Panel(content)]]))
    place = found.places[0]
    regions = [p for g, p in named(figure, "region-").items() if "edge" not in g]
    assert len(regions) == 1  # the other is outside of the crop
    left, top, right, bottom = rectangle_of(regions[0])
    assert place.box.left < left < right < place.box.right
    assert place.box.top < top < bottom < place.box.bottom
    assert right - left == pytest.approx(place.box.right - place.box.left, abs=0.5)
    reference = named(figure, "reference-0-0")["reference-0-0"]
    assert rectangle_of(reference)[2:] == pytest.approx(mm(place, 30, 20))


def test_regions_are_white_rectangles():
    boxes = (Box(3, 4, 20, 14), Box(30, 20, 45, 40))
    figure, found = drawn(sheet_of([[Panel(replace(picture(), regions=boxes))]]))
    patches = [a for a in figure.findobj() if a.get_gid() == "region-0-0"]
    for patch, box in zip(patches, boxes, strict=True):
        place = found.places[0]
        expected = (*mm(place, box.left, box.top), *mm(place, box.right, box.bottom))
        assert rectangle_of(patch) == pytest.approx(expected)
        assert rgb(patch) == marks.WHITE


def test_parts_are_numbered_dots_in_the_panel_and_the_legend():
    points = (Point(10, 12, 0), Point(50, 40, 2), Point(300, 5, 1))
    panel_rows = sheet_of(
        [[Panel(replace(picture(), points=points))]], legend=("beak", "eye", "tail")
    )
    figure, found = drawn(panel_rows)
    place = found.places[0]
    dots = {}
    for artist in figure.findobj():
        gid = artist.get_gid() or ""
        if gid.startswith("part-") and "number" not in gid:
            dots.setdefault(gid, []).append(tuple(artist.center))
    legend = {f"part-{n}": (x, y) for x, y, n in found.dots}
    assert dots["part-0"] == [pytest.approx(mm(place, 10, 12)), pytest.approx(legend["part-0"])]
    assert dots["part-2"] == [pytest.approx(mm(place, 50, 40)), pytest.approx(legend["part-2"])]
    assert dots["part-1"] == [pytest.approx(legend["part-1"])]  # outside of the picture
    numbers = [a.get_text() for a in figure.findobj() if (a.get_gid() or "").startswith("part-n")]
    assert numbers == ["1", "3", "1", "2", "3"]


@pytest.mark.parametrize("label", ["$x^2$", "<b>bold</b>", "a_b^c \\frac{1}{2} & 90 %", "$\\bad"])
def test_labels_are_drawn_letter_by_letter(label):
    panel_rows = sheet_of([Row(label, (Panel(picture(2.0), label, label),))], captions="(a)")
    figure, _ = drawn(panel_rows)
    words = named(figure, "words-").values()
    assert [text.get_text() for text in words].count(label) == 2
    assert f"(a) {label}" in [text.get_text() for text in words]
    assert not any(text.get_parse_math() for text in words)
    png = export.write(figure, "png", 60, None)
    assert png.startswith(b"\x89PNG")


def test_words_stand_where_the_plan_says_in_its_font():
    panel_rows = table(2, 2, head="frame", label="c17", font="times", font_pt=7.0)
    figure, found = drawn(panel_rows)
    for number, words in enumerate(found.words):
        text = named(figure, f"words-{number}")[f"words-{number}"]
        assert (text.get_text(), text.get_position()) == (words.text, (words.x, words.y))
        assert text.get_fontsize() == pytest.approx(words.points)
        assert text.get_fontfamily() == ["STIXGeneral"]
        assert text.get_rotation() == (90 if words.upward else 0)


@pytest.mark.parametrize("place", [(0, 0), (111, 111), (54, 60)])
def test_a_reference_smaller_than_a_pixel_is_still_seen(place):
    row, column = place
    frame = np.full((56, 56, 3), 100, np.uint8)
    cell = Box(column / 2, row / 2, (column + 1) / 2, (row + 1) / 2)
    content = replace(picture(), frame=frame, crop=Box(0, 0, 56, 56), reference=cell)
    panel_rows = sheet_of([[Panel(content)] * 20], bar="none", dpi=150)
    figure, found = drawn(panel_rows)
    page = export.pixels(figure, 150).astype(int)
    for box in (found.place(0, 0).box, found.place(0, 19).box):
        assert (box.right - box.left) / 112 < 25.4 / 150
        left, top, right, bottom = (round(v / 25.4 * 150) for v in corners(box))
        panel = page[top:bottom, left:right]
        assert (np.abs(panel - 100).max(-1) > 20).any()


def test_a_frame_is_scaled_once_for_the_panels_that_show_it(monkeypatch):
    scaled, real = [], rasters.scaled
    monkeypatch.setattr(rasters, "scaled", lambda *how: scaled.append(how) or real(*how))
    first, second = np.zeros((2, 48, 60, 3), np.uint8)
    contents = [
        replace(picture(0.8, HEAT), frame=first),
        replace(picture(0.8, HEAT[::-1]), frame=first),
        replace(picture(), frame=second),
        replace(picture(), frame=first, crop=Box(0, 0, 30, 24)),
    ]
    drawn(sheet_of([[Panel(content) for content in contents]] * 2))
    assert len(scaled) == 3


def test_the_charts_of_gates_show_every_layers_factors():
    layers = gate_layers()
    panel_rows = sheet_of([[Panel(picture()), Panel(bars(layers))]], width_mm=82.55)
    figure, found = drawn(panel_rows)
    axes = named(figure, "panel-0-1")["panel-0-1"]
    (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots.get_ydata(), [layer.gate.mean() for layer in layers], rtol=1e-5)
    (spans,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    ends = [(path.vertices[0, 1], path.vertices[1, 1]) for path in spans.get_paths()]
    np.testing.assert_allclose(ends, [(g.gate.min(), g.gate.max()) for g in layers], rtol=1e-6)
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert ticks == ["1", "2", "3"]
    # Its letters lie in the panel's box.
    figure.canvas.draw_idle()
    box = found.place(0, 1).box
    export.pixels(figure, 300)
    tight = axes.get_tightbbox()
    step = figure.dpi / 25.4
    assert tight.x0 >= box.left * step - 1
    assert tight.x1 <= box.right * step + 1
    assert figure.bbox.height - tight.y1 >= box.top * step - 2
    assert figure.bbox.height - tight.y0 <= box.bottom * step + 2


def test_a_matrix_has_lines_between_frames():
    values = np.random.default_rng(3).random((30, 12)).astype(np.float32)
    made = Matrix(values, (1, 1), (30, 12), (3, 2))
    figure, found = drawn(sheet_of([[Panel(made)]], width_mm=82.55, bar="row"))
    image = named(figure, "panel-0-0")["panel-0-0"]
    colours = rasters.colour_table(Look(), False)
    np.testing.assert_array_equal(image.get_array(), rasters.matrix_pixels(made, colours))
    box = found.places[0].box
    across = [line.get_ydata() for line in figure.axes[0].lines if np.ptp(line.get_ydata()) == 0]
    down = [line.get_xdata() for line in figure.axes[0].lines if np.ptp(line.get_xdata()) == 0]
    third = (box.bottom - box.top) / 3
    np.testing.assert_allclose([y[0] for y in across], [box.top + third, box.top + 2 * third])
    np.testing.assert_allclose([x[0] for x in down], [(box.left + box.right) / 2])


def test_nearest_heat_lies_over_its_picture_cut_off_at_the_panel():
    where = Geometry(60, 48, 60, 48, 6, 4, 42, 40)
    shade = Shade(heat_of(HEAT), 0, where)
    content = Picture(picture().frame, Box(10, 0, 60, 40), shade)
    panel_rows = sheet_of([[Panel(content)], [Panel(content)]], gap_mm=7, bar="none")
    figure, found = drawn(lit(panel_rows, interpolation="nearest", threshold=0.5))
    heat = named(figure, "heat-")["heat-0-0"]
    assert heat.get_array().shape == (5, 7, 4)
    place = found.places[0]
    expected = (*mm(place, 6, 4), *mm(place, 48, 44))
    assert box_of(heat) == pytest.approx(expected)
    page = export.pixels(figure, 300)
    top, bottom = (round(v / 25.4 * 300) for v in (place.box.bottom, found.place(1, 0).box.top))
    assert bottom - top > 80
    assert (page[top:bottom] == 255).all()


def arrows_of(figure):
    return list(figure.findobj(FancyArrowPatch))


def test_arrows_go_from_panel_to_panel_the_strongest_on_top():
    start, near, far = Spot(0, 30, 24), Spot(0, 10, 10), Spot(1, 50, 40)
    row = Row("", (Panel(picture()),) * 2, ((start, far), (start, near), (start, start)))
    figure, found = drawn(sheet_of([row]))
    last, first = arrows_of(figure)
    assert first._posA_posB[0] == pytest.approx(mm(found.place(0, 0), 30, 24))
    assert first._posA_posB[1] == pytest.approx(mm(found.place(0, 1), 50, 40))
    assert last._posA_posB[1] == pytest.approx(mm(found.place(0, 0), 10, 10))
    assert first.get_zorder() > last.get_zorder()
    assert all(rgb(arrow) == (0, 229, 255) for arrow in (first, last))


def test_what_is_below_the_threshold_is_the_picture_alone():
    panel_rows = lit(sheet_of([[Panel(picture(0.8, HEAT)), Panel(picture(0.8))]]), threshold=0.9)
    figure, _ = drawn(panel_rows)
    warm, plain = (np.asarray(named(figure, f"panel-0-{k}")[f"panel-0-{k}"].get_array())
                   for k in (0, 1))  # fmt: skip
    same = (warm == plain).all(2)
    assert same[: warm.shape[0] // 2].all()
    assert not same[-1, -1]
