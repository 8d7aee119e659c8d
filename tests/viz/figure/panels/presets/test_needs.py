"""What presets lack is what drawing them refuses, and it is known before any network runs."""

from dataclasses import replace

import pytest

from errors import InputError
from models.build import build
from models.loaded import LoadedModel
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, Preprocessing
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import picture_network
from tests.viz.tiny_detectors import c4
from viz.attention import pipeline
from viz.figure import api as figures
from viz.figure.panels import needs, presets
from viz.figure.panels.presets import TABLE
from viz.figure.recipe import recipe
from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View
from viz.figure.sources import FileSources

PHOTO, AT = Medium("example:bird", ""), (388.0, 132.0)


def cgd() -> LoadedModel:
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(size=32, resize=32, stride=4))
    return LoadedModel("gated", spec, build(spec), (), "1" * 64)


@pytest.fixture
def seen(nl_model, cgnl_model):
    """Networks by what they have, as a source that would notice if one ran."""
    prep = Preprocessing(size=64, resize=64, stride=16, fixed=True)
    models = [
        replace(nl_model, id="nl"), replace(cgnl_model, id="cgnl"), cgd(), replace(c4(), id="c4"),
        wrap(picture_network("vit"), prep, classes=7, name="vit"),
    ]  # fmt: skip
    return FileSources(loaded=models)


def pinned(*networks: str, **how) -> Reference:
    """Return the bird as networks see it: an id, with the map kind behind a slash."""
    views = tuple(
        View(Network(id, ""), kind=kind or None)
        for id, _, kind in (one.partition("/") for one in networks)
    )
    return Reference(PHOTO, views, **{"at": AT} | how)


PATCHES = {"view", "parts", "frames", "heatmaps", "arrows", "strongest"}
CASES = {
    "NL": (pinned("nl"), {*PATCHES, "matrix"}),
    "CGNL": (pinned("cgnl"), {*PATCHES, "groups"}),
    "cosines of a CGNL network": (pinned("cgnl/features"), {*PATCHES, "matrix"}),
    "class maps": (pinned("nl/class maps"), PATCHES - {"arrows"}),
    "class maps beside NL": (pinned("cgnl/class maps", "nl"), {*PATCHES, "matrix"}),
    "gates": (pinned("gated", at=None), {"gates"}),
    "gates beside another network": (pinned("gated", "nl", at=None), set()),
    "a patch that a gated network sees, too": (pinned("nl", "gated"), set()),
    "heads": (pinned("vit"), {*PATCHES, "matrix", "groups"}),
    "rollout": (pinned("vit/rollout"), {*PATCHES, "matrix"}),
    "a detector": (pinned("c4"), {*PATCHES, "matrix", "objects"}),
    "an object": (pinned("c4", at=None, object=0), {*PATCHES, "matrix", "objects"}),
    "two pictures": (
        pinned("nl", second=Medium("example:second-bird", "")), {*PATCHES, "matrix", "matches"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_can_be_drawn_is_known_without_running_a_network(name, seen, monkeypatch):
    monkeypatch.setattr(pipeline, "capture", lambda *_: pytest.fail("a network ran"))
    reference, drawable = CASES[name]
    assert {one for one in TABLE if needs.unmet(one, [reference], seen) is None} == drawable


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_others_cannot_be_drawn(name, seen):
    reference, drawable = CASES[name]
    for preset, row in TABLE.items():
        # A figure without a single arrow can be drawn; nobody would want it.
        if preset == "arrows" and reference.at is not None:
            continue
        asked = Recipe(preset, (reference,), row.look, row.layout)
        if preset in drawable:
            assert presets.panel_rows(asked, seen).panels, preset
        else:
            with pytest.raises(InputError):
                presets.panel_rows(asked, seen)


def test_every_reference_needs_it():
    two = pinned("nl", second=PHOTO)
    assert needs.unmet("matches", [two], FileSources()) is None
    assert needs.unmet("matches", [two, pinned("nl")], FileSources()).words == "a second picture"
    assert needs.unmet("parts", [two, pinned("nl", at=None)], FileSources()) is not None


def test_of_networks_that_are_not_here_nothing_is_claimed(seen):
    for preset in needs.OF_NETWORKS:
        assert needs.unmet(preset, [pinned("nowhere")], seen) is None
    assert needs.unmet("matches", [pinned("nowhere")], seen) is not None


def test_every_need_is_of_a_preset():
    assert set(needs.OF_NETWORKS) <= set(recipe.PRESETS)
    assert set(needs.OF_REFERENCES) <= {row.needs for row in TABLE.values()}


def test_a_figure_that_cannot_be_drawn_is_refused_before_a_network_runs(
    seen, monkeypatch, one_line
):
    monkeypatch.setattr(pipeline, "capture", lambda *_: pytest.fail("a network ran"))
    for preset, said in {
        "gates": "needs networks with gates: CGD, SE or CBAM; choose such a network",
        "matches": "needs a second picture; give each input one",
        "groups": "needs groups of a CGNL block, or heads",
    }.items():
        with pytest.raises(InputError) as caught:
            figures.compose(preset, "example:bird", "nl", AT, sources=seen)
        words = one_line(caught.value)
        assert f"The preset {preset} {said}" in words
        assert words.endswith("view, parts, frames, heatmaps, arrows, matrix, strongest.")
