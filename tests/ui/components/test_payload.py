"""What is sent to the picker, and what comes back from it."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from models.blocks import pairwise
from models.blocks.layout import Grid
from models.specs.placement import Place
from ui.components import mount
from ui.components.picker import picker
from ui.components.picker.payload import LIVE_LIMIT, Panel, canvas_frames, canvas_size, pack
from viz import geometry
from viz.attention.kinds import affinity
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.pipeline import Channels
from viz.rendering.look import Look
from viz.types import Cell, Clip


def clip_of(count, height=30, width=40, seed=0):
    frames = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return Clip(frames, tuple(0.5 * t for t in range(count)), "drawn", "drawn")


def panel_of(clip, grid, offset=0.0):
    noise = torch.randn(grid.cells, 3, generator=torch.Generator().manual_seed(1))
    made = pairwise.pairwise("dot_product", 3, False)
    keys = 1e-4 * noise + offset
    block = NonLocalCapture(Place(4, 1), torch.ones_like(noise), keys, made, grid, grid, noise)
    plan = geometry.fit(clip.width, clip.height, 64, 32)
    return Panel("key", "title", "name", plan, block, Cell(1, 2, 3), Channels(), frame=1)


def unpacked(blob):
    size = int.from_bytes(blob[:4], "little")
    return json.loads(blob[4 : 4 + size]), blob[4 + size :]


def test_a_picture_is_sent_without_loss_and_clips_as_small_jpegs():
    [still] = canvas_frames(clip_of(1, 480, 640))
    frames = canvas_frames(clip_of(3, 480, 640))
    assert Image.open(io.BytesIO(still)).format == "PNG"
    assert [Image.open(io.BytesIO(one)).format for one in frames] == ["JPEG"] * 3
    assert [Image.open(io.BytesIO(one)).size for one in frames] == [(480, 360)] * 3


@pytest.mark.parametrize(
    ("count", "width", "expected"), [(1, 40, 480), (1, 2000, 640), (2, 40, 320), (2, 2000, 480)]
)
def test_the_long_side_of_the_canvas_is_kept_in_bounds(count, width, expected):
    assert canvas_size(clip_of(count, 30, width))[0] == expected


def test_frames_are_encoded_once_and_other_pixels_are_told_apart():
    first = canvas_frames(clip_of(2))
    assert canvas_frames(clip_of(2)) is first
    assert canvas_frames(clip_of(2, seed=1)) is not first


def test_the_header_names_frames_times_and_the_frame_of_the_reference():
    clip = clip_of(4)
    header, _ = unpacked(pack(clip, [panel_of(clip, Grid(4, 5, 6))], Look(arrows=20), "channel 1"))
    assert header["picture"]["times"] == [0.0, 0.5, 1.0, 1.5]
    assert len(header["picture"]["frames"]) == 4
    assert header["look"]["arrows"] == 20
    [panel] = header["panels"]
    assert (panel["frame"], panel["cell"]) == (1, {"t": 1, "y": 2, "x": 3})
    assert panel["still"] is False


@pytest.mark.parametrize(("rows", "still"), [(28, False), (29, True)])
def test_factors_are_sent_up_to_the_live_limit_and_maps_above(rows, still):
    clip, grid = clip_of(8), Grid(8, rows, 28)
    header, body = unpacked(pack(clip, [panel_of(clip, grid)], Look(), "channel 1"))
    [panel] = header["panels"]
    assert still == (grid.cells > LIVE_LIMIT) == panel["still"]
    assert ("queries" in panel, "maps" in panel) == (not still, still)
    pictures = sum(one["length"] for one in header["picture"]["frames"])
    assert (len(body) - pictures > grid.cells * 12) == (not still)


def test_the_contrast_of_a_nearly_constant_map_survives_half_precision():
    clip, grid = clip_of(2), Grid(2, 60, 60)
    panel = panel_of(clip, grid, offset=7.0)
    header, body = unpacked(pack(clip, [panel], Look(), "channel 1"))
    [place] = header["panels"][0]["maps"]
    halves = np.frombuffer(body, np.float16, place["length"] // 2, place["offset"])
    seen = place["low"] + place["span"] * halves.astype(float)
    exact = affinity.row(panel.block, panel.cell).values.ravel()
    assert np.abs(seen - exact).max() <= 1e-3 * np.ptp(exact)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"row": 3, "col": 4}, (0, 3, 4)),
        ({"frame": 7, "row": 3, "col": 4}, (7, 3, 4)),
        ({"frame": 1.5, "row": 3, "col": 4}, None),
        ({"frame": 1, "row": "3", "col": 4}, None),
        ({"frame": True, "row": 3, "col": 4}, None),
        ([1, 3, 4], None),
        (None, None),
    ],
)
def test_a_pick_is_three_whole_numbers_or_nothing(monkeypatch, sent, expected):
    monkeypatch.setattr(mount.st, "session_state", {"key": {"pick": sent}})
    assert picker.picked("key") == expected
