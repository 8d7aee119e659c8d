"""The preset strongest names what it shows, where pins show channels of their own, too."""

from dataclasses import replace

import pytest

from tests.viz.drawn_figures import best, photo, pinned, recipe_of, view
from tests.viz.figure.panels.conftest import heads, rows_of
from viz.figure import composition
from viz.figure.page import layout as page_layout
from viz.figure.page.plan import PAGE_MM, too_tall
from viz.figure.panels import presets
from viz.figure.panels.presets import TABLE
from viz.figure.panels.strongest import PATCHES
from viz.types import Cell


def test_one_channel_for_all_is_named_beside_the_row():
    pins = [pinned(networks=(view("cgnl", "c3"),), at=at) for at in ((31.0, 23.0), (2.0, 2.0))]
    row, patches = rows_of(recipe_of("strongest", *pins), photo())
    assert (row.label, heads(row)) == ("CGNL c3", ["1", "2"])
    assert patches.label == PATCHES


def test_channels_that_differ_are_named_over_their_maps():
    sources = photo()
    pins = [pinned(networks=("cgnl",), at=at) for at in ((31.0, 23.0), (2.0, 2.0))]
    block = sources.blocks["photo", "cgnl"]
    first, second = (best(block, cell, 1)[0] for cell in (Cell(0, 2, 3), Cell(0, 0, 0)))
    assert first != second
    row, _ = rows_of(recipe_of("strongest", *pins), sources)
    assert (row.label, heads(row)) == ("CGNL", [f"1: c{first}", f"2: c{second}"])


def test_pins_of_other_names_are_named_over_their_maps():
    one = pinned(networks=("nl",))
    other = replace(one, views=(replace(one.views[0], label="ours"),))
    row, _ = rows_of(recipe_of("strongest", one, other), photo())
    assert (row.label, heads(row)) == ("", ["1: NL", "2: ours"])


@pytest.mark.parametrize("networks", [("cgnl",), ("nl", "cgnl")])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_new_figure_of_few_pins_is_no_taller_than_a_page(count, networks):
    made = composition.composed("strongest", [pinned(networks=networks)] * count)
    assert made.layout.transpose == (2 * len(networks) > count)
    plan = page_layout.plan(presets.panel_rows(made, photo()))
    assert plan.height <= PAGE_MM
    assert too_tall(plan.height) == ""


def test_what_a_recipe_or_a_user_says_of_rows_stays():
    """A recipe of one pin that was made before has its rows below each other."""
    one = [pinned(networks=("cgnl",))]
    made = composition.composed("strongest", one, transpose=False)
    assert made.layout == TABLE["strongest"].layout
    plan = page_layout.plan(presets.panel_rows(made, photo()))
    assert plan.height > PAGE_MM
    assert "taller than a journal's page (247 mm)" in too_tall(plan.height)
    assert composition.composed("parts", one).layout == TABLE["parts"].layout
