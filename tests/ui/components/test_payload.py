"""What is sent to the picker, for every kind of map, and what comes back from it."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.conftest import make_tiny
from tests.pretended_gpu import PretendedGpu
from tests.ui.drawn_scenes import (
    CLASS,
    TITLE,
    cgnl_block,
    clip_of,
    drawn_scene,
    noise,
    nonlocal_block,
    scene_of,
    shot_of,
)
from tests.ui.toy_kind import NearnessMaps, SentNearness
from ui.components import mount
from ui.components.picker import payload, picker
from ui.components.picker.canvas import canvas_frames, canvas_size
from ui.components.picker.payload import LIVE_LIMIT, pack
from viz import geometry
from viz.attention import pipeline
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS
from viz.rendering.look import Look
from viz.types import Clip

MOST = Grid(8, 28, 28)
MORE = Grid(8, 29, 28)


def noise_clip(count, height=30, width=40, seed=0):
    frames = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return Clip(frames, tuple(0.5 * t for t in range(count)), "drawn", "d" * 64)


def unpacked(blob):
    size = int.from_bytes(blob[:4], "little")
    return json.loads(blob[4 : 4 + size]), blob[4 + size :]


def panel_of(found, look=None):
    """The header of the first network, and the bytes behind it."""
    header, body = unpacked(pack(found, look or Look()))
    return header["panels"][0], body


def read(place, body):
    """One array as the browser reads it, float64."""
    first, last = place["offset"], place["offset"] + place["length"]
    if place["type"] == "float":
        return np.frombuffer(body[first:last], np.float32).astype(float)
    halves = np.frombuffer(body[first:last], np.float16).astype(float)
    if place["type"] == "half":
        return halves * place["peak"]
    return place["low"] + place["span"] * halves


def assert_sent(place, body, values):
    """Check that an array arrives: float16 over its peak, float32 exactly."""
    wanted = values.double().numpy().ravel()
    seen, peak = read(place, body), np.abs(wanted).max()
    tolerance = 0 if place["type"] == "float" else 2**-11
    np.testing.assert_allclose(seen, wanted, rtol=tolerance, atol=tolerance * peak / 2**14)


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


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize(("groups", "heads"), [(1, 1), (3, 1), (1, 4)])
def test_an_nl_row_is_queries_keys_and_how_a_row_is_made(name, groups, heads):
    grid = Grid(3, 5, 7)
    block = nonlocal_block(name, grid, Grid(3, 2, 3), groups, heads)
    panel, body = panel_of(drawn_scene(clip_of(3), block))
    assert panel["arithmetic"] == "rows"
    assert panel["options"] == {
        "width": 1 if name == "concatenation" else 7,
        "heads": heads,
        "groups": groups,
        "first": 0,
        "form": "sum" if name == "concatenation" else "product",
        "scale": block.pairwise.scale,
        "normaliser": "softmax" if "gaussian" in name else "count",
        "label": "NL row",
    }
    assert set(panel["arrays"]) == {"queries", "keys"}
    assert_sent(panel["arrays"]["queries"], body, block.queries)
    assert_sent(panel["arrays"]["keys"], body, block.keys)
    assert panel["keyGrid"] == {"frames": 3, "rows": 2, "cols": 3}


def test_a_block_with_one_map_has_nothing_to_choose_and_one_with_heads_has_them():
    one, _ = panel_of(drawn_scene(clip_of(1), nonlocal_block()))
    assert (one["names"], one["shown"], one["heading"], one["divisions"]) == ([], "", "", "heads")
    several, _ = panel_of(drawn_scene(clip_of(1), nonlocal_block(heads=3)))
    assert several["names"] == ["head 0", "head 1", "head 2", "mean", "maximum"]
    assert (several["shown"], several["heading"]) == ("mean", "")
    wanted = drawn_scene(clip_of(1), nonlocal_block(heads=3), shown=MapChoice("head", 2))
    assert panel_of(wanted)[0]["shown"] == "head 2"


def test_a_cgnl_block_is_theta_phi_and_what_the_rankings_need():
    block = cgnl_block("gaussian_rbf")
    panel, body = panel_of(drawn_scene(clip_of(1), block, maps="contrast", count=4))
    assert panel["arithmetic"] == "channels"
    assert panel["options"] == {
        "channels": 15,
        "groups": 5,
        "kernel": {"terms": [list(term) for term in block.kernel.terms]},
        "ranking": "contrast",
        "count": 4,
        "listed": [],
    }
    arrays = panel["arrays"]
    assert set(arrays) == {"theta", "phi", "mean", "spread", "contrast"}
    assert_sent(arrays["theta"], body, block.theta)
    assert_sent(arrays["phi"], body, block.phi)
    assert_sent(arrays["mean"], body, block.theta.mean(1))
    assert panel["names"] == [f"channel {k}" for k in (1, 2, 3, 4)] + [
        f"group {k}" for k in range(5)
    ]
    assert panel["shown"] == "channel 1"
    assert panel["heading"] == "channels by contrast"
    assert panel["divisions"] == "groups (sum of each group's 3 channel maps)"


@pytest.mark.parametrize(
    ("view", "heading", "listed", "names", "shown"),
    [
        ({}, "channels by distinctiveness", [], 5, "channel 1"),
        ({"maps": "7,3", "shown": MapChoice("channel", 2, True)}, "channels as listed", [7, 3], 2,
         "channel 2"),
        ({"maps": "one per group", "count": 9}, "best channel of each group", [], 5, "channel 1"),
        ({"shown": MapChoice("group", 4)}, "channels by distinctiveness", [], 5, "group 4"),
        ({"shown": MapChoice("group", 9)}, "channels by distinctiveness", [], 5, "channel 1"),
        ({"count": 2, "shown": MapChoice("channel", 3, True)}, "channels by distinctiveness", [], 2,
         "channel 1"),
    ],
)  # fmt: skip
def test_the_view_says_which_channels_are_offered_and_which_is_large(
    view, heading, listed, names, shown
):
    panel, _ = panel_of(drawn_scene(clip_of(1), cgnl_block(), **view))
    assert panel["heading"] == heading
    assert panel["options"]["listed"] == listed
    assert len([name for name in panel["names"] if name.startswith("channel")]) == names
    assert panel["shown"] == shown


def test_responses_are_sent_only_where_they_rank():
    for ranking, sent in (("response", True), ("standout", False)):
        panel, _ = panel_of(drawn_scene(clip_of(1), cgnl_block(), maps=ranking))
        assert ("response" in panel["arrays"]) == sent


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("dot_product", {"linear": True, "outer": 1.0, "inner": 1.0}),
        ("embedded_gaussian", {"linear": False, "outer": 1.0, "inner": 1.0}),
        ("gaussian_rbf", {"linear": False, "outer": np.exp(-0.6), "inner": 0.6}),
    ],
)
def test_an_exact_kernel_is_its_numbers(kernel, expected):
    panel, _ = panel_of(drawn_scene(clip_of(1), cgnl_block(kernel, None)))
    assert panel["options"]["kernel"] == pytest.approx(expected)


def test_the_cosine_sends_its_vectors_once():
    block = nonlocal_block()
    found = drawn_scene(clip_of(1), block, kind="features")
    panel, body = panel_of(found)
    assert panel["arithmetic"] == "rows"
    assert set(panel["arrays"]) == {"queries"}
    assert_sent(panel["arrays"]["queries"], body, found.shots[0].block.features)
    assert (panel["options"]["width"], panel["options"]["normaliser"]) == (17, "none")
    assert panel["options"]["label"] == "cosine"
    assert (panel["names"], panel["shown"], panel["heading"]) == ([], "", "")


def class_shot(clip, **view):
    """Grad-CAM of a tiny network on a clip."""
    model = make_tiny(CGNLSpec(groups=8))
    capture = pipeline.capture(model, clip)
    [block] = capture.blocks.values()
    made = shot_of(clip, block, plan=capture.geometry, model=model)
    derived = KINDS["class maps"].derive(capture, block)
    return replace(
        made, view=replace(made.view, kind="class maps", **view), block=derived, capture=capture
    )


def test_class_maps_are_sent_and_have_no_reference():
    shot = class_shot(clip_of(1), maps="probability", count=3)
    panel, body = panel_of(scene_of(clip_of(1), shot))
    assert panel["arithmetic"] == "static"
    assert (panel["still"], panel["referenced"]) == (False, False)
    assert panel["names"] == ["class 1", "class 2", "class 3"]
    assert (panel["shown"], panel["heading"]) == ("class 1", "classes by probability")
    best = shot.capture.logits.argsort(descending=True)[:3].tolist()
    labels = [(one["name"], one["label"]) for one in panel["options"]["maps"]]
    assert labels == [(f"class {k}", "abcdefg"[n]) for k, n in enumerate(best, 1)]
    for name, number in zip(panel["names"], best, strict=True):
        exact = shot.kind.map(shot.block, shot.cell, MapChoice("class", number)).values.ravel()
        seen = read(panel["arrays"][name], body)
        assert exact.max() > 0
        np.testing.assert_allclose(seen, exact, atol=2**-11 * np.ptp(exact))


def test_a_list_of_classes_is_sent_in_its_order():
    shot = class_shot(clip_of(1), maps="5,2", count=2, shown=MapChoice("class", 2, by_rank=True))
    panel, _ = panel_of(scene_of(clip_of(1), shot))
    assert (panel["heading"], panel["shown"]) == ("classes as listed", "class 2")
    assert [one["label"] for one in panel["options"]["maps"]] == ["f", "c"]


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


def test_a_kind_that_only_its_module_knows_is_sent(monkeypatch):
    for kind in (NearnessMaps(), SentNearness()):
        monkeypatch.setitem(KINDS, kind.name, kind)
    panel, body = panel_of(drawn_scene(clip_of(1), nonlocal_block(), kind="nearness"))
    assert (panel["arithmetic"], panel["options"]["label"]) == ("rows", "nearness")
    found = drawn_scene(clip_of(1), nonlocal_block(), kind="sent nearness")
    panel, body = panel_of(found)
    assert (panel["arithmetic"], panel["still"]) == ("static", False)
    exact = found.shots[0].maps[0].values.ravel()
    np.testing.assert_allclose(read(panel["arrays"][""], body), exact, atol=2**-11 * np.ptp(exact))


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
