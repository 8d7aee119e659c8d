"""What is sent to the picker above its live limit: the maps themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.blocks.layout import Grid
from tests.ui.components.conftest import panel_of, read, unpacked
from tests.ui.drawn_scenes import cgnl_block, clip_of, drawn_scene, noise, nonlocal_block
from ui.components.picker.payload import LIVE_LIMIT, pack
from viz.attention.choice import MapChoice
from viz.rendering.look import Look

MOST = Grid(8, 28, 28)
MORE = Grid(8, 29, 28)


@pytest.mark.parametrize(("grid", "still"), [(MOST, False), (MORE, True)])
def test_factors_are_sent_up_to_the_live_limit_and_maps_above(grid, still):
    assert still == (grid.cells > LIVE_LIMIT)
    header, body = unpacked(pack(drawn_scene(clip_of(8), nonlocal_block(grid=grid)), Look()))
    [panel] = header["panels"]
    assert panel["still"] == still
    assert panel["arithmetic"] == ("static" if still else "rows")
    assert set(panel["arrays"]) == ({""} if still else {"queries", "keys"})
    pictures = sum(one["length"] for one in header["pictures"][0]["frames"])
    assert (len(body) - pictures > grid.cells * 12) == (not still)


def test_a_still_picture_is_live_whatever_its_grid():
    panel, _ = panel_of(drawn_scene(clip_of(1), nonlocal_block(grid=Grid(8, 29, 28))))
    assert (panel["still"], panel["arithmetic"]) == (False, "rows")


def test_above_the_live_limit_channels_and_groups_are_those_of_the_pinned_cell():
    block = cgnl_block(grid=MORE)
    found = drawn_scene(clip_of(8), block, frame=3, row=4, col=5, count=2)
    [shot] = found.shots
    panel, body = panel_of(found)
    assert (panel["still"], panel["shown"]) == (True, "channel 1")
    best = shot.kind.rank(block, shot.cell, "standout")[:2]
    wanted = [MapChoice("channel", n) for n in best] + [MapChoice("group", k) for k in range(5)]
    assert [one["tag"] for one in panel["options"]["maps"]] == [one.tag for one in wanted]
    for name, choice in zip(panel["names"], wanted, strict=True):
        exact = shot.kind.map(block, shot.cell, choice).values.ravel()
        seen = read(panel["arrays"][name], body)
        np.testing.assert_allclose(seen, exact, atol=2**-11 * np.ptp(exact))


def test_above_the_live_limit_heads_are_sent_with_mean_and_maximum():
    panel, body = panel_of(drawn_scene(clip_of(8), nonlocal_block(grid=MORE, heads=2)))
    assert panel["names"] == ["head 0", "head 1", "mean", "maximum"] == list(panel["arrays"])
    first, second, mean, largest = (read(panel["arrays"][one], body) for one in panel["names"])
    scale = np.abs([first, second]).max()
    np.testing.assert_allclose(mean, (first + second) / 2, atol=2e-3 * scale)
    np.testing.assert_allclose(largest, np.maximum(first, second), atol=2e-3 * scale)


def test_above_the_live_limit_the_one_map_has_the_kinds_name():
    rows, _ = panel_of(drawn_scene(clip_of(8), nonlocal_block(grid=MORE)))
    assert rows["options"]["maps"] == [{"name": "", "label": "NL row", "tag": "NL"}]
    cosines, _ = panel_of(drawn_scene(clip_of(8), nonlocal_block(grid=MORE), kind="features"))
    assert cosines["options"]["maps"] == [{"name": "", "label": "cosine", "tag": "cosine"}]


def test_the_contrast_of_a_nearly_constant_map_survives_half_precision():
    grid = Grid(2, 60, 60)
    block = nonlocal_block(grid=grid)
    block = replace(
        block,
        queries=torch.ones_like(block.queries),
        keys=1e-4 * noise(*block.keys.shape, seed=1) + 7.0,
    )
    found = drawn_scene(clip_of(2), block)
    panel, body = panel_of(found)
    exact = found.shots[0].maps[0].values.ravel()
    seen = read(panel["arrays"][""], body)
    assert np.abs(seen - exact).max() <= 1e-3 * np.ptp(exact)


def test_heights_keep_what_is_no_number_and_a_constant_map():
    grid = Grid(2, 60, 60)
    block = nonlocal_block(grid=grid)
    odd = replace(block, keys=torch.where(torch.arange(grid.cells)[:, None] == 7, torch.nan, 1.0))
    panel, body = panel_of(drawn_scene(clip_of(2), replace(odd, keys=odd.keys.expand(-1, 7))))
    seen = read(panel["arrays"][""], body)
    assert np.flatnonzero(np.isnan(seen)).tolist() == [7]
    assert len(set(seen[~np.isnan(seen)])) == 1
