"""Figures of two pictures: maps beside each other, and lines between what matches both ways."""

from dataclasses import replace

import numpy as np
import pytest

from errors import InputError
from tests.viz.drawn_figures import SEEN, Table, cgnl, clip_of, nl, pinned, recipe_of, view
from viz.attention import matches
from viz.attention.kinds.registry import as_kind
from viz.figure import api as figures
from viz.figure.draw import drawing
from viz.figure.page import layout as page_layout
from viz.figure.panels import presets
from viz.figure.panels.presets import TABLE
from viz.figure.recipe.recipe import Medium
from viz.figure.resolve import scene
from viz.rendering.look import Look
from viz.types import Clip

SECOND = Medium("other", "")


def two() -> Table:
    """Return a photo and another one, seen by the same networks, and a clip."""
    first, other = clip_of(), clip_of()
    clips = {
        "photo": first,
        "other": Clip(other.frames[:, ::-1].copy(), (0.0,), "other.png", "2" * 64),
        "clip": clip_of(7),
    }
    blocks = {
        ("photo", "nl"): nl(), ("other", "nl"): nl(seed=61),
        ("photo", "cgnl"): cgnl(), ("other", "cgnl"): cgnl(seed=67),
    }  # fmt: skip
    blocks |= {("clip", name): blocks["photo", name] for name in ("nl", "cgnl")}
    return Table(clips, blocks)


def pair(networks=("nl", "cgnl"), **how):
    return pinned(networks=networks, second=SECOND, **how)


@pytest.mark.parametrize("preset", ["view", "parts", "heatmaps", "groups"])
def test_behind_every_map_stands_that_of_the_second_picture(preset):
    asked = recipe_of(preset, pair(("nl",)), input_panel=False)
    if preset == "groups":
        with pytest.raises(InputError, match="none of the networks has them"):
            presets.panel_rows(asked, two())
        return
    (row,) = presets.panel_rows(asked, two()).rows
    here, there = row.panels
    sources = two()
    np.testing.assert_array_equal(here.content.frame, sources.clips["photo"].frames[0])
    np.testing.assert_array_equal(there.content.frame, sources.clips["other"].frames[0])
    assert here.content.reference is not None
    assert there.content.reference is None
    assert there.head.endswith("second picture")
    found = scene(pair(("nl",)), sources)
    sums = [one.shots[0].maps[0].values.sum() for one in (found, found.second)]
    assert sum(sums) == pytest.approx(1, abs=1e-5)


def test_the_label_under_a_second_picture_is_its_best_match():
    found = scene(pair(("nl",)), two()).second.shots[0]
    [(cell, value)] = matches.best(found.maps[0], 1)
    (row,) = presets.panel_rows(recipe_of("view", pair(("nl",)), input_panel=False), two()).rows
    assert row.panels[1].label == f"best match row {cell.y}, column {cell.x}: {value:.3g}"


def test_maps_of_both_pictures_share_a_scale_when_asked():
    asked = recipe_of("view", pair(("nl",)), input_panel=False, scale="row")
    (row,) = presets.panel_rows(asked, two()).rows
    assert row.panels[0].span == row.panels[1].span


def lined(reference=None, **look):
    preset = TABLE["matches"]
    return recipe_of("matches", reference or pair(("nl",)), look=replace(preset.look, **look))


def test_lines_join_patches_that_are_each_others_nearest():
    (row,) = presets.panel_rows(lined(arrows=200), two()).rows
    sources = two()
    a, b = (sources.capture(medium, view("nl")) for medium in (pair().medium, SECOND))
    every = {(one.a[:2], one.b[:2]): one.cosine for one in matches.mutual_matches(a, b, most=500)}
    found = [((first.x, first.y), (last.x, last.y)) for first, last in row.lines]
    assert found
    assert set(found) <= set(every)
    values = [every[one] for one in found]
    assert values == sorted(values, reverse=True)
    wide = SEEN.cell_box(0, 0, nl().query_grid)
    step = np.array([wide.right - wide.left, wide.bottom - wide.top])
    starts = np.array([one for one, _ in found]) / step
    apart = np.abs(starts[:, None] - starts[None]).max(-1) + 9 * np.eye(len(starts))
    assert apart.min() > 1.5
    assert [panel.head for panel in row.panels] == ["photo", "other"]


def test_as_many_lines_are_drawn_as_are_asked_for():
    for grey in (False, True):
        asked = lined(arrows=3)
        asked = replace(asked, layout=replace(asked.layout, greyscale=grey))
        rows = presets.panel_rows(asked, two())
        figure = drawing.draw(rows, page_layout.plan(rows), 50)
        names = {str(artist.get_gid()) for artist in figure.findobj()}
        assert {name for name in names if name.startswith("match-0")} == {
            f"match-0-{k}" for k in range(3)
        }


def test_queries_and_a_kind_without_vectors_have_lines_too():
    for kind in ("features", "class maps", None):
        (row,) = presets.panel_rows(lined(pair((view("cgnl", kind=kind),))), two()).rows
        assert row.lines


REFUSED = {
    "no second picture": ("matches", pinned(networks=("nl",)), "needs a second picture"),
    "a clip as the second": (
        "view", pinned(networks=("nl",), second=Medium("clip", "", (0,))), "goes with one picture",
    ),
    "a clip as the second, lines": (
        "matches", pinned(networks=("nl",), second=Medium("clip", "")), "goes with one picture",
    ),
    "a clip as the first": (
        "heatmaps", pinned("clip", ("nl",), frames=7, second=SECOND), "goes with one picture",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_two_pictures_is_refused(name, one_line):
    preset, reference, said = REFUSED[name]
    with pytest.raises(InputError, match=said) as caught:
        presets.panel_rows(recipe_of(preset, reference, look=Look()), two())
    one_line(caught.value)


def test_features_are_shared_with_the_picture_alone():
    sources = two()
    found = scene(pair((view("nl", kind="features"),)), sources)
    (shot,) = found.second.shots
    of_b = as_kind(shot.capture, shot.capture.blocks["res4.4"], "features")
    assert shot.block.others is of_b.features


FIRST_ONLY = [name for name, row in TABLE.items() if row.first_only]


def test_presets_of_one_picture_are_those_without_a_second_one():
    assert FIRST_ONLY == ["gates", "matrix", "objects", "strongest"]


@pytest.mark.parametrize("preset", ["matrix", "objects", "strongest"])
def test_a_preset_of_one_picture_draws_the_first_as_if_it_were_alone(preset):
    both, alone = (
        presets.panel_rows(recipe_of(preset, one), two()).rows
        for one in (pair(("nl",)), pinned(networks=("nl",)))
    )
    assert [len(row.panels) for row in both] == [len(row.panels) for row in alone]
    for one, other in zip(both, alone, strict=True):
        for panel, same in zip(one.panels, other.panels, strict=True):
            assert (panel.head, panel.label, panel.span) == (same.head, same.label, same.span)


@pytest.mark.parametrize("preset", FIRST_ONLY)
def test_a_second_picture_that_would_not_be_shown_is_refused(preset, one_line):
    with pytest.raises(InputError) as refused:
        figures.compose(preset, "example:bird", "nl", second="example:second-bird")
    said = one_line(refused.value)
    assert f"The preset {preset} shows one picture; leave the second out" in said
