"""Scenes: the cells and maps behind a recipe's references."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from tests.viz.drawn_figures import (
    CROPPED,
    SEEN,
    Table,
    answering,
    best,
    cgnl,
    clip_of,
    footage,
    nl,
    photo,
    pinned,
    row_at,
)
from tests.viz.drawn_figures import view as seen_by
from viz.attention import queries
from viz.attention.choice import MapChoice, ranked
from viz.attention.kinds.channels import channel_map, group_map
from viz.figure import resolve
from viz.geometry import center_crop, fit
from viz.rendering.look import Look
from viz.types import Cell


def shots_of(sources, reference):
    return resolve.scene(reference, sources).shots


def test_an_nl_shot_has_the_row_of_the_cell_under_the_pixel():
    sources = photo()
    shot, _ = shots_of(sources, pinned(at=(31.0, 23.0)))
    # 7 columns of 67 pixels, 5 rows of 53.
    assert shot.cell == Cell(0, int(23 / 53 * 5), int(31 / 67 * 7))
    expected = row_at(sources.blocks["photo", "nl"], shot.cell)
    (found,) = shot.maps
    np.testing.assert_allclose(found.values, expected, rtol=1e-6)
    assert (shot.is_single, shot.title, shot.divisions) == (True, "NL", ())
    assert shot.shown is shot.maps[0]


def test_a_cgnl_shot_has_the_channels_that_rank_highest():
    sources = photo()
    _, shot = shots_of(sources, pinned(networks=("nl", seen_by("cgnl", count=3))))
    block = sources.blocks["photo", "cgnl"]
    expected = best(block, shot.cell, 3)
    assert [(m.part, m.number) for m in shot.maps] == [("channel", c) for c in expected]
    for found, channel in zip(shot.maps, expected, strict=True):
        np.testing.assert_array_equal(found.values, channel_map(block, shot.cell, channel).values)
    assert (shot.is_single, shot.title) == (False, "CGNL")
    assert shot.shown is shot.maps[0]


@pytest.mark.parametrize(
    ("maps", "count", "labels"),
    [
        ("17,3,29", 5, ["c17", "c3", "c29"]),
        ("17,3,29", 2, ["c17", "c3", "c29"]),
        ("groups", 5, ["g0", "g1", "g2"]),
        ("groups", 1, ["g0", "g1", "g2"]),
    ],
)
def test_the_view_says_which_channels_whatever_it_counts(maps, count, labels):
    asked = seen_by("cgnl", maps=maps, count=count, label="Ours")
    (shot,) = shots_of(photo(), pinned(networks=(asked,)))
    assert [m.label for m in shot.maps] == labels
    assert shot.title == "Ours"


def test_a_ranking_takes_as_many_as_the_view_counts():
    asked = seen_by("cgnl", maps="contrast", count=7)
    (shot,) = shots_of(photo(), pinned(networks=(asked,)))
    assert [m.number for m in shot.maps] == best(shot.block, shot.cell, 7, "contrast")


def test_all_groups_are_there_whatever_the_view_counts():
    (shot,) = shots_of(photo(), pinned(networks=(seen_by("cgnl", count=1),)))
    for k, found in enumerate(shot.divisions):
        np.testing.assert_array_equal(found.values, group_map(shot.block, shot.cell, k).values)
    assert len(shot.divisions) == 3


@pytest.mark.parametrize(
    ("shown", "label"),
    [(None, "c17"), ("channel 1", "c17"), ("channel 3", "c29"), ("group 2", "g2"), ("c29", "c29"),
     ("c5", "c5")],
)  # fmt: skip
def test_the_large_map_is_the_one_that_the_view_shows(shown, label):
    asked = seen_by("cgnl", maps="17,3,29", shown=shown)
    (shot,) = shots_of(photo(), pinned(networks=(asked,)))
    assert shot.shown.label == label


def test_a_map_that_is_listed_is_not_made_twice():
    asked = seen_by("cgnl", maps="17,3,29", shown="c3")
    (shot,) = shots_of(photo(), pinned(networks=(asked,)))
    assert shot.shown is shot.maps[1]
    (shot,) = shots_of(photo(), pinned(networks=(replace(asked, shown=MapChoice("group", 1)),)))
    assert shot.shown is shot.divisions[1]


def test_maps_are_kept_with_the_capture_whatever_view_asks_again():
    sources = photo()
    capture = sources.capture(pinned().medium, seen_by("cgnl"))
    sources.blocks["photo", "cgnl"] = capture
    first, second = (shots_of(sources, pinned(networks=(seen_by("cgnl", shown=shown),)))[0]
                     for shown in (None, "channel 2"))  # fmt: skip
    assert first.maps[0] is second.maps[0]
    (moved,) = shots_of(sources, pinned(networks=("cgnl",), at=(3.0, 3.0)))
    assert moved.maps[0] is not first.maps[0]
    (cosine,) = shots_of(sources, pinned(networks=(seen_by("cgnl", kind="features"),)))
    assert cosine.maps[0].label == "cosine"
    assert cosine.block is shots_of(sources, pinned(networks=(cosine.view,)))[0].block


def test_an_nl_block_has_one_map_whatever_the_view_asks_to_show():
    for shown in (None, "union", "channel 3", "group 99"):
        (shot,) = shots_of(photo(), pinned(networks=(seen_by("nl", shown=shown),)))
        assert shot.shown is shot.maps[0]


def test_a_union_is_no_single_map_and_a_rank_that_is_not_there_is_refused(one_line):
    (shot,) = shots_of(photo(), pinned(networks=(seen_by("cgnl", shown="union"),)))
    assert shot.shown is None
    asked = seen_by("cgnl", maps="17,3", shown="channel 3")
    (shot,) = shots_of(photo(), pinned(networks=(asked,)))
    with pytest.raises(OutsideError, match="channel 3 is not among the 2 maps") as caught:
        _ = shot.shown
    one_line(caught.value)
    for shown, words in (
        ("group 3", "group 3 is not a map of res4.4 .CGNL.; it has group 0 to 2"),
        ("c33", "33 is not a channel of res4.4; it has channels 0 to 32"),
        ("head 0", "head 0 is not a map of res4.4"),
        ("class 1", "class 1 is not a map of res4.4"),
        ("mean", "mean is not a map of res4.4"),
    ):
        (shot,) = shots_of(photo(), pinned(networks=(seen_by("cgnl", shown=shown),)))
        with pytest.raises(OutsideError, match=words) as caught:
            _ = shot.shown
        one_line(caught.value)
    assert str(ranked("channel", 3)) == "channel 3"


@pytest.mark.parametrize("mode", ["clip", "frame"])
def test_a_union_is_the_largest_of_the_scaled_maps_at_every_cell(mode):
    (shot,) = shots_of(footage(), pinned("clip", ("cgnl",), frames=7, frame=4))
    look = Look(normalise=mode)
    found = resolve.union(shot.maps, look)
    scaled = []
    for one in shot.maps:
        axes = (1, 2) if mode == "frame" else None
        low = one.values.min(axes, keepdims=True)
        scaled.append((one.values - low) / (one.values.max(axes, keepdims=True) - low))
    expected = scaled[0]
    for other in scaled[1:]:
        expected = np.where(other > expected, other, expected)
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert found.label == "union"
    assert (found.part, found.number) == ("", None)
    assert found.query == shot.maps[0].query


@pytest.mark.parametrize("frame", range(7))
def test_a_frame_lies_in_the_moment_that_a_network_pooled_it_into(frame):
    sources = footage(7, 3)
    for shot in shots_of(sources, pinned("clip", frames=7, frame=frame)):
        assert shot.cell.t == frame * 3 // 7


def test_the_first_network_must_see_the_reference_and_others_take_their_nearest_cell(one_line):
    wide, narrow = nl(), cgnl()
    sources = Table({"photo": clip_of()}, {("photo", "nl"): wide, ("photo", "cgnl"): narrow}, {})
    sources.geometry = {wide: SEEN, narrow: CROPPED}
    near, far = shots_of(sources, pinned(at=(2.0, 50.0)))
    assert near.cell == Cell(0, int(50 / 53 * 5), int(2 / 67 * 7))
    assert far.cell == Cell(0, 4, 0)
    inside, centred = shots_of(sources, pinned(at=(30.0, 20.0)))
    assert centred.cell == Cell(0, int((20 - 9) / 35 * 5), int((30 - 16) / 35 * 7))
    assert inside.cell == Cell(0, 1, 3)
    with pytest.raises(OutsideError, match="the network sees x 16 to 51") as caught:
        shots_of(sources, pinned(networks=("cgnl", "nl"), at=(2.0, 50.0)))
    one_line(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.integers(16, 999), st.integers(16, 999), st.sampled_from([center_crop, fit]))
def test_the_nearest_cell_of_what_lies_outside_is_at_the_edge(width, height, way):
    where = way(width, height, *((73, 64) if way is center_crop else (64, 16)))
    grid = Grid(1, 5, 7)
    assert where.nearest_cell(-9.0, -9.0, grid) == (0, 0)
    assert where.nearest_cell(1e6, 1e6, grid) == (4, 6)
    assert where.nearest_cell(*where.cell_centre(3, 2, grid), grid) == (3, 2)


def test_what_a_reference_lacks_is_told(one_line):
    with pytest.raises(InputError, match="photo has no reference patch") as caught:
        resolve.scene(pinned(at=None), photo())
    one_line(caught.value)
    with pytest.raises(
        OutsideError, match="3 is not a frame of photo; it has frames 0 to 0"
    ) as caught:
        resolve.scene(pinned(frame=3), photo())
    one_line(caught.value)
    with pytest.raises(OutsideError, match=r"'res3\.1' is not a block of this network") as caught:
        resolve.scene(pinned(networks=(seen_by("nl", block="res3.1"),)), photo())
    one_line(caught.value)
    for at in ((67.5, 1.0), (-0.5, 1.0), (1.0, 53.5)):
        with pytest.raises(OutsideError) as caught:
            resolve.scene(pinned(at=at), photo())
        one_line(caught.value)


@pytest.mark.parametrize("network", ["nl", "cgnl"])
def test_the_cosine_is_that_of_what_enters_the_block(network):
    sources = photo()
    (shot,) = shots_of(sources, pinned(networks=(seen_by(network, kind="features"),)))
    entering = sources.blocks["photo", network].block_input[0].flatten(1).double()
    here = entering[:, shot.cell.position(Grid(1, 5, 7))]
    expected = (here @ entering) / here.norm() / entering.norm(dim=0)
    (found,) = shot.maps
    np.testing.assert_allclose(found.values.ravel(), expected, atol=1e-6)
    assert (shot.is_single, shot.title, shot.shown) == (True, "Cosine", found)
    assert found.values[0, shot.cell.y, shot.cell.x] == pytest.approx(1)


def test_a_kind_that_a_block_is_not_is_refused(one_line):
    for kind in ("gates", "channels", "nope"):
        asked = pinned(networks=(seen_by("nl", kind=kind),))
        with pytest.raises(OutsideError, match=f"'{kind}' is not a map of block res4.4") as caught:
            shots_of(photo(), asked)
        one_line(caught.value)


def test_a_row_is_what_its_block_answers():
    values = np.arange(35, dtype=np.float32).reshape(1, 5, 7)
    block = answering(values, Grid(1, 2, 3))
    sources = Table({"photo": clip_of()}, {("photo", "nl"): block})
    (shot,) = shots_of(sources, pinned(networks=("nl",)))
    np.testing.assert_allclose(
        shot.maps[0].values / shot.maps[0].values.max(), values / 34, rtol=1e-6
    )
    assert shot.cell == queries.cell_at(shot.capture, block, (31.0, 23.0))


def test_keys_may_be_of_another_grid_than_queries():
    sources = photo(nl=nl(Grid(1, 5, 7), Grid(1, 2, 3)))
    shot, _ = shots_of(sources, pinned(at=(66.5, 52.5)))
    assert shot.cell == Cell(0, 4, 6)
    assert shot.maps[0].values.shape == (1, 2, 3)
