"""What is sent to the picker: pictures, header, buffers, and what comes back from it."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from models.blocks.layout import Grid
from tests.pretended_gpu import PretendedGpu
from tests.ui.components.conftest import panel_of, unpacked
from tests.ui.drawn_scenes import (
    CLASS,
    TITLE,
    cgnl_block,
    clip_of,
    drawn_scene,
    nonlocal_block,
    scene_of,
    shot_of,
)
from ui.components import mount
from ui.components.picker import payload, picker
from ui.components.picker.canvas import canvas_frames, canvas_size
from ui.components.picker.payload import pack
from viz import geometry
from viz.rendering.look import Look
from viz.types import Clip


def noise_clip(count, height=30, width=40, seed=0):
    frames = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return Clip(frames, tuple(0.5 * t for t in range(count)), "drawn", "d" * 64)


def test_a_picture_is_sent_without_loss_and_clips_as_small_jpegs():
    [still] = canvas_frames(noise_clip(1, 480, 640))
    frames = canvas_frames(noise_clip(3, 480, 640))
    with Image.open(io.BytesIO(still)) as picture:
        assert picture.format == "PNG"
        assert (np.asarray(picture) == noise_clip(1, 480, 640).frames[0]).all()
    assert [Image.open(io.BytesIO(one)).format for one in frames] == ["JPEG"] * 3
    assert [Image.open(io.BytesIO(one)).size for one in frames] == [(480, 360)] * 3


@pytest.mark.parametrize(
    ("count", "width", "expected"), [(1, 40, 480), (1, 2000, 640), (2, 40, 320), (2, 2000, 480)]
)
def test_the_long_side_of_the_canvas_is_kept_in_bounds(count, width, expected):
    assert canvas_size(noise_clip(count, 30, width))[0] == expected


def test_frames_are_encoded_once_and_other_pixels_are_told_apart():
    first = canvas_frames(noise_clip(2))
    assert canvas_frames(noise_clip(2)) is first
    assert canvas_frames(noise_clip(2, seed=1)) is not first


def test_the_header_names_frames_times_look_and_the_frame_of_the_reference():
    clip = noise_clip(4)
    block = nonlocal_block(grid=Grid(4, 5, 6))
    found = drawn_scene(clip, block, frame=1, row=2, col=3)
    header, body = unpacked(pack(found, Look(arrows=20, colormap="viridis")))
    assert header["pictures"][0]["times"] == [0.0, 0.5, 1.0, 1.5]
    assert header["pictures"][0]["type"] == "image/jpeg"
    for place, frame in zip(header["pictures"][0]["frames"], canvas_frames(clip), strict=True):
        assert body[place["offset"] : place["offset"] + place["length"]] == frame
    assert header["look"]["arrows"] == 20
    assert header["original"] == {"width": 40, "height": 30}
    assert header["table"]["length"] == 768
    panel = header["panels"][0]
    assert (panel["frame"], panel["cell"]) == (1, {"t": 1, "y": 2, "x": 3})
    assert (panel["title"], panel["prediction"]) == (TITLE, f"{CLASS} 1.00")
    assert (panel["still"], panel["referenced"]) == (False, True)
    assert (panel["grid"], panel["keyGrid"]) == ({"frames": 4, "rows": 5, "cols": 6},) * 2


def test_every_buffer_begins_on_a_multiple_of_four_bytes():
    header, _ = unpacked(pack(drawn_scene(noise_clip(1, 31, 37), cgnl_block()), Look()))
    [panel] = header["panels"]
    places = [header["table"], *header["pictures"][0]["frames"], *panel["arrays"].values()]
    assert {place["offset"] % 4 for place in places} == {0}
    blob = pack(drawn_scene(noise_clip(1, 31, 37), cgnl_block()), Look())
    assert (4 + int.from_bytes(blob[:4], "little")) % 4 == 0


def test_two_networks_are_two_panels_and_a_heading_of_the_page_replaces_the_own():
    clip = clip_of(1)
    found = scene_of(clip, shot_of(clip, nonlocal_block()), shot_of(clip, cgnl_block()))
    header, _ = unpacked(pack(found, Look(), {1: "channels by class evidence for wren"}))
    assert [panel["heading"] for panel in header["panels"]] == [
        "", "channels by class evidence for wren",
    ]  # fmt: skip


def test_what_the_browser_keeps_factors_by_differs_with_all_that_they_depend_on():
    clip, block = clip_of(1), cgnl_block()
    plain = panel_of(drawn_scene(clip, block))[0]["key"]
    assert panel_of(drawn_scene(clip, block, row=4, maps="contrast"))[0]["key"] == plain
    others = [
        drawn_scene(clip, block, kind="features"),
        drawn_scene(clip, block, size=320),
        drawn_scene(clip, block, mode="center-crop"),
        drawn_scene(clip, cgnl_block()),
        drawn_scene(replace(clip, sha256="e" * 64), block),
        drawn_scene(replace(clip, numbers=(4,)), block),
    ]
    keys = [panel_of(one)[0]["key"] for one in others]
    assert len({plain, *keys}) == 7


def test_what_the_network_does_not_see_is_left_out_of_the_span():
    clip = clip_of(1, 200, 100)
    cropped = geometry.center_crop(100, 200, 128, 128)
    panel, _ = panel_of(drawn_scene(clip, nonlocal_block(), plan=cropped))
    width, height = canvas_size(clip)
    assert (panel["span"]["left"], panel["span"]["right"]) == (0, width)
    assert panel["span"]["bottom"] - panel["span"]["top"] == pytest.approx(height / 2, abs=2)


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


@pytest.mark.parametrize(
    ("sent", "expected"), [("group 3", "group 3"), (3, None), (["group 3"], None), (None, None)]
)
def test_a_map_that_is_chosen_is_a_name_or_nothing(monkeypatch, sent, expected):
    monkeypatch.setattr(mount.st, "session_state", {"key": {"focus": sent}})
    assert picker.focused("key") == expected


def test_factors_on_a_gpu_are_sent_as_those_of_the_processor():
    values = torch.randn(3, 5)
    with PretendedGpu():
        there = values.to("cuda")
        sent = [payload._Buffers() for _ in range(2)]
        for buffers, one in zip(sent, (values, there), strict=True):
            buffers.halves(one)
            buffers.floats(one)
    assert sent[0].parts == sent[1].parts
