"""What is sent to the picker of every kind of map."""

from dataclasses import replace

import numpy as np
import pytest

from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.conftest import make_tiny
from tests.ui.components.conftest import panel_of, read
from tests.ui.drawn_scenes import (
    cgnl_block,
    clip_of,
    drawn_scene,
    nonlocal_block,
    scene_of,
    shot_of,
)
from tests.ui.toy_kind import NearnessMaps, SentNearness
from viz.attention import pipeline
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS


def assert_sent(place, body, values):
    """Check that an array arrives: float16 over its peak, float32 exactly."""
    wanted = values.double().numpy().ravel()
    seen, peak = read(place, body), np.abs(wanted).max()
    tolerance = 0 if place["type"] == "float" else 2**-11
    np.testing.assert_allclose(seen, wanted, rtol=tolerance, atol=tolerance * peak / 2**14)


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
        np.testing.assert_array_equal(seen, exact, "the rank is that of the table")


def test_a_list_of_classes_is_sent_in_its_order():
    shot = class_shot(clip_of(1), maps="5,2", count=2, shown=MapChoice("class", 2, by_rank=True))
    panel, _ = panel_of(scene_of(clip_of(1), shot))
    assert (panel["heading"], panel["shown"]) == ("classes as listed", "class 2")
    assert [one["label"] for one in panel["options"]["maps"]] == ["f", "c"]


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
