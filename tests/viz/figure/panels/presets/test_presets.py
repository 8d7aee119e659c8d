"""The presets: what each starts from and needs, and what is refused before a network runs."""

from dataclasses import replace

import pytest

from errors import InputError, OutsideError
from tests.viz.drawn_figures import (
    SEEN,
    Table,
    clip_of,
    footage,
    gate_layers,
    photo,
    pinned,
    recipe_of,
)
from tests.viz.drawn_figures import view as seen_by
from viz.figure.draw import drawing
from viz.figure.page import layout as page_layout
from viz.figure.panels import presets
from viz.figure.panels.panel_rows import Picture
from viz.figure.panels.presets import MOST_PANELS, TABLE
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Medium, Recipe


def started(preset, *references) -> Recipe:
    """Return a recipe as the preset starts it."""
    return recipe_json.checked(Recipe(preset, references, TABLE[preset].look, TABLE[preset].layout))


def everything() -> Table:
    """Return sources with a photo and a clip, seen by NL, CGNL and CGD networks."""
    found, other = footage(), photo()
    found.clips |= other.clips
    found.blocks |= other.blocks
    found.blocks |= {("photo", "cgd"): gate_layers(), ("clip", "cgd"): gate_layers(7)}
    return found


@pytest.mark.parametrize(
    ("medium", "preset"),
    [("photo", one) for one in recipe.PRESETS]
    + [("clip", one) for one in recipe.PRESETS if TABLE[one].needs != "pair"],
)
def test_every_preset_draws_a_photo_and_a_clip_as_it_starts(preset, medium):
    networks = ("cgd",) if TABLE[preset].needs == "gates" else ("nl", "cgnl")
    second = Medium("photo", "") if TABLE[preset].needs == "pair" else None
    reference = pinned(medium, networks, frames=7 if medium == "clip" else 0, second=second)
    panel_rows = presets.panel_rows(started(preset, reference), everything())
    figure = drawing.draw(panel_rows, page_layout.plan(panel_rows), 50)
    drawn = [a for a in figure.findobj() if (a.get_gid() or "").startswith("panel-")]
    assert len(drawn) == len(panel_rows.panels) > 0


def test_there_is_a_row_of_the_table_for_every_preset():
    assert tuple(TABLE) == recipe.PRESETS
    for row in TABLE.values():
        assert row.title
        assert row.help.endswith(".")
        assert row.needs in ("reference", "block", "pair", "gates")


@pytest.mark.parametrize("preset", [p for p in TABLE if TABLE[p].needs == "reference"])
def test_what_needs_a_reference_says_so(preset, one_line):
    with pytest.raises(InputError, match="no reference patch") as caught:
        presets.panel_rows(started(preset, pinned(at=None)), everything())
    one_line(caught.value)


@pytest.mark.parametrize("preset", [p for p in TABLE if TABLE[p].needs != "reference"])
def test_what_needs_no_reference_draws_without(preset):
    networks = ("cgd",) if preset == "gates" else ("nl",)
    second = Medium("photo", "") if TABLE[preset].needs == "pair" else None
    reference = pinned(networks=networks, at=None, second=second)
    assert presets.panel_rows(started(preset, reference), everything()).panels


def test_too_many_panels_are_refused_before_any_network_runs(one_line):
    many = [pinned(networks=(seen_by("cgnl", count=64),))] * 64
    sources = photo()
    with pytest.raises(InputError, match=f"up to {MOST_PANELS} are drawn") as caught:
        presets.panel_rows(recipe_of("parts", *many), sources)
    one_line(caught.value)
    assert sources.runs == []
    clips = [pinned("clip", frames=7)] * 40
    with pytest.raises(InputError, match="fewer references, channels or frames"):
        presets.panel_rows(recipe_of("frames", *clips), sources)
    assert sources.runs == []


def test_groups_are_counted_when_they_are_known(one_line):
    several = [pinned("clip", ("cgnl",), frames=7)] * 30
    # 7 frames of 3 groups each and the input: 840 panels, of which 420 could be foreseen.
    with pytest.raises(InputError, match=r"840 panels; up to 600") as caught:
        presets.panel_rows(recipe_of("groups", *several), footage())
    one_line(caught.value)


def test_row_labels_replace_the_rows_own(one_line):
    asked = recipe_of("frames", pinned("clip", frames=7), row_labels=("plain", "ours"))
    found = presets.panel_rows(asked, footage())
    assert [row.label for row in found.rows][:2] == ["plain", "ours"]
    assert found.rows[2].label.startswith("CGNL c")
    four = replace(asked, layout=replace(asked.layout, row_labels=tuple("abcd")))
    with pytest.raises(
        OutsideError, match="4 row labels are too many; the figure has 3 rows"
    ) as caught:
        presets.panel_rows(four, footage())
    one_line(caught.value)


def test_a_movie_asks_for_the_same_rows_frame_by_frame():
    asked = recipe_of("frames", pinned("clip", frames=7))
    whole = presets.panel_rows(asked, footage())
    for k in range(7):
        one = presets.panel_rows(asked, footage(), (k,))
        assert [row.label for row in one.rows] == [row.label for row in whole.rows]
        for row, full in zip(one.rows, whole.rows, strict=True):
            (panel,) = row.panels
            content, same = panel.content, full.panels[k].content
            assert isinstance(content, Picture)
            assert content.reference == same.reference
            assert (content.frame == same.frame).all()


def test_the_same_recipe_gives_the_same_sheet():
    asked = recipe_of("parts", pinned())
    first, second = (presets.panel_rows(asked, photo()) for _ in range(2))
    for (*_, one), (*_, other) in zip(first.panels, second.panels, strict=True):
        assert (one.head, one.label) == (other.head, other.label)
        if one.content.shade:
            same = one.content.shade.heat.values == other.content.shade.heat.values
            assert same.all()


def test_a_network_without_blocks_is_told(one_line):
    class Plain(Table):
        def capture(self, medium, view):
            return replace(super().capture(medium, view), blocks={})

    made = photo()
    with pytest.raises(InputError, match="no attention block") as caught:
        presets.panel_rows(
            recipe_of("parts", pinned()), Plain({"photo": clip_of()}, made.blocks, SEEN)
        )
    one_line(caught.value)
