"""Figures in greys: no coloured pixel, outlines and dashes in the place of colours."""

from dataclasses import replace

import pytest

from tests.viz.drawn_figures import gate_layers, lit, picture, sheet_of
from tests.viz.figure.draw.conftest import HEAT, drawn, named, rgb
from viz.figure.files import export
from viz.figure.panels.gates import bars
from viz.figure.panels.panel_rows import Matrix, Panel, Point, Row, Spot
from viz.geometry import Box

pytestmark = pytest.mark.slow


def greyscale(interpolation="smooth", **look):
    """Return rows of panels with everything there is, in greys."""
    content = picture(
        0.8, HEAT, reference=Box(12, 8, 24, 16), regions=(Box(3, 4, 20, 14),),
        points=(Point(10, 12, 0), Point(50, 40, 3)),
    )  # fmt: skip
    matrix = Matrix(HEAT.copy(), (1, 1), (5, 7), (1, 7))
    first = Row("maps", (Panel(content, "NL"), Panel(picture(), "input")),
                ((Spot(0, 30, 24), Spot(1, 50, 40)),), 0.0, 1.0)  # fmt: skip
    rows = [first, Row("", (Panel(bars(gate_layers())), Panel(matrix)))]
    made = sheet_of(rows, legend=("beak", "eye", "wing", "tail"), greyscale=True, dpi=100)
    return lit(made, interpolation=interpolation, **look)


@pytest.mark.parametrize("interpolation", ["smooth", "nearest"])
@pytest.mark.parametrize("bar", ["shared", "row"])
def test_a_figure_in_greys_has_no_coloured_pixel(interpolation, bar):
    panel_rows = greyscale(interpolation, threshold=0.5)
    panel_rows = replace(panel_rows, layout=replace(panel_rows.layout, bar=bar))
    page = export.pixels(drawn(panel_rows)[0], 100)
    assert (page == page[..., :1]).all()
    colourful = replace(panel_rows, layout=replace(panel_rows.layout, greyscale=False))
    page = export.pixels(drawn(colourful)[0], 100)
    assert (page != page[..., :1]).any()


def test_greys_outline_what_is_shown_and_nothing_where_everything_is():
    figure, _ = drawn(greyscale(threshold=0.5))
    assert named(figure, "outline-0-0")
    assert named(figure, "outline-edge-0-0")
    everything, _ = drawn(greyscale(threshold=0.0))
    assert not named(everything, "outline")


def test_regions_are_dashed_in_greys_and_the_reference_is_not():
    figure, _ = drawn(greyscale(threshold=0.5))
    region, reference = (named(figure, f"{k}-0-0")[f"{k}-0-0"] for k in ("region", "reference"))
    assert region.get_linestyle() != "solid"
    assert reference.get_linestyle() == "solid"
    assert rgb(reference) == (255, 255, 255)
