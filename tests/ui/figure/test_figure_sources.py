"""The session behind a recipe, without a page: clips, networks, and what is kept of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st

from errors import InputError, OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, Preprocessing
from models.zoo import cache
from models.zoo.published import PUBLISHED
from tests.conftest import draw
from ui.figure import (
    keypoints as figure_keypoints,
)
from ui.figure import (
    open_recipe,
)
from ui.figure import (
    settings as figure_settings,
)
from ui.figure import (
    sources as figure_sources,
)
from ui.figure.sources import Memo, SessionSources
from ui.session import loaders
from ui.session import pins as session_pins
from viz.attention.kinds.gates import gate_layers
from viz.examples import bird
from viz.figure import keypoints
from viz.figure.panels.presets import TABLE
from viz.figure.recipe.recipe import Layout, Medium, Network, Part, Recipe, Reference, View
from viz.rendering.look import Look
from viz.types import Clip


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """An empty session: outside a page Streamlit has none."""
    state = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def clip_of(name, frames=1):
    numbers = tuple(range(0, 3 * frames, 3)) if frames > 1 else ()
    pixels = draw(53, 67, frames)
    sha256 = name.encode().hex().ljust(64, "0")[:64]
    return Clip(pixels, tuple(map(float, range(frames))), name, sha256, numbers)


def reference_of(clip, model, **given):
    views = (View(Network(model.id, model.sha256)),)
    medium = Medium(clip.name, clip.sha256, clip.numbers)
    return replace(Reference(medium, views, (20.5, 30.5)), **given)


@pytest.fixture
def own(session, nl_model, monkeypatch):
    """A tiny network of this session, and a count of what was run."""
    session["own_models"] = {nl_model.id: (nl_model, "mine")}
    runs = []
    captured = loaders.pipeline.capture

    def counted(model, clip, mode, size):
        runs.append((clip.name, mode, size))
        return captured(model, clip, mode, size)

    monkeypatch.setattr(loaders.pipeline, "capture", counted)
    monkeypatch.setattr(
        loaders,
        "captured",
        lambda clip, name, mode, size: counted(loaders.network(name), clip, mode, size),
    )
    return nl_model, runs


def test_a_network_runs_once_for_each_medium_mode_and_size(own):
    model, runs = own
    clip = clip_of("a.png")
    first = session_pins.add(reference_of(clip, model), clip).reference
    view = first.views[0]
    for _ in range(2):
        found = figure_sources.sources()
        found.capture(first.medium, view)
        found.capture(first.medium, replace(view, label="x", maps="groups"))
        found.capture(first.medium, replace(view, size=model.spec.preprocessing.size))
    assert len(runs) == 1
    found.capture(first.medium, replace(view, size=96))
    found.capture(first.medium, replace(view, mode="center-crop"))
    assert len(runs) == 3


def test_what_no_pin_needs_is_dropped_and_more_than_twelve_are_kept(own, session):
    model, runs = own
    pins = []
    for k in range(15):
        clip = clip_of(f"{k}.png")
        pins.append(session_pins.add(reference_of(clip, model), clip))
    for _ in range(2):
        found = figure_sources.sources()
        for pin in pins:
            found.capture(pin.reference.medium, pin.reference.views[0])
    assert len(runs) == 15
    session_pins.remove(pins[0].id)
    figure_sources.sources()
    memo = session["figure-memo"]
    assert len(memo.captures) == 14
    session_pins.clear()
    figure_sources.sources()
    assert (memo.captures, memo.models) == ({}, {})


def test_what_was_run_is_found_without_a_session(own, session, monkeypatch):
    model, runs = own
    clip = clip_of("a.png")
    reference = session_pins.add(reference_of(clip, model), clip).reference
    found = figure_sources.sources()
    kept = found.capture(reference.medium, reference.views[0])
    monkeypatch.setattr(st, "session_state", None)
    assert found.capture(reference.medium, reference.views[0]) is kept
    assert found.clip(reference.medium) is clip


def test_a_medium_that_is_not_pinned_is_one_line_and_its_path_is_not_opened(tmp_path, one_line):
    path = tmp_path / "there.png"
    path.write_bytes(b"anything")
    found = SessionSources({}, Memo())
    with pytest.raises(InputError) as problem:
        found.clip(Medium(str(path), "e" * 64))
    assert "e" * 12 in one_line(problem.value)


def test_a_network_of_other_weights_is_named_with_both_hashes(own, one_line):
    model, _ = own
    with pytest.raises(InputError) as problem:
        figure_sources.found_network(Network(model.id, "f" * 64))
    line = one_line(problem.value)
    assert "f" * 12 in line
    assert model.sha256[:12] in line


def test_a_network_under_another_name_is_found_by_its_weights(own):
    model, _ = own
    assert figure_sources.found_network(Network("elsewhere/theirs.pth", model.sha256)) is model


@pytest.mark.parametrize("id", ["/etc/passwd", "models/weights/e2-nl.safetensors", ".", "a\0b"])
def test_a_network_is_never_opened_by_a_path(id, one_line, monkeypatch):
    monkeypatch.setattr(loaders.catalogue, "load", None)
    with pytest.raises(InputError) as problem:
        figure_sources.found_network(Network(id, "0" * 64))
    assert "is not here" in one_line(problem.value)


def test_a_published_network_is_not_downloaded_because_a_recipe_names_it(one_line, monkeypatch):
    monkeypatch.setattr(cache, "is_cached", lambda _row: False)
    monkeypatch.setattr(loaders.catalogue, "load", None)
    for name in (PUBLISHED[0].id, "resnet50-gaussian", PUBLISHED[-1].id):
        with pytest.raises(InputError) as problem:
            figure_sources.found_network(Network(name, ""))
        one_line(problem.value)


def test_a_network_with_gates_runs_once_too(own, session):
    _, runs = own
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(size=32, resize=32, stride=4))
    model = LoadedModel("own-wrn", spec, build(spec), (), "1" * 64)
    session["own_models"] = {model.id: (model, "mine")}
    clip = clip_of("a.png")
    reference = session_pins.add(reference_of(clip, model, at=None), clip).reference
    first, again = (
        figure_sources.sources().capture(reference.medium, reference.views[0]) for _ in range(2)
    )
    assert again is first
    assert len(runs) == 1
    assert [layer.name for layer in gate_layers(first)] == list(model.network.gated())
    assert (first.geometry.width, first.geometry.height) == (67, 53)


def test_media_of_an_opened_recipe_are_found_by_hash_and_frames(own, session):
    model, _ = own
    clip = clip_of("walk.mp4", frames=5)
    session_pins.add(reference_of(clip, model), clip)
    same = Medium("/somewhere/else.mp4", clip.sha256, clip.numbers)
    open_recipe.begin(Recipe("frames", (reference_of(clip, model, medium=same),)))
    assert "opened" not in session
    [pin] = session_pins.pins()
    assert pin.clip is clip
    assert pin.reference.medium == same
    assert figure_settings.current().preset == "frames"
    other = Medium("walk.mp4", clip.sha256, (0, 3))
    open_recipe.begin(Recipe("frames", (reference_of(clip, model, medium=other),)))
    assert "opened" in session
    assert session_pins.pins() == (pin,)


def test_an_example_is_found_wherever_it_is_said_to_be(own):
    model, _ = own
    medium = Medium("C:\\birds\\mine.png", bird.clip().sha256)
    open_recipe.begin(Recipe("parts", (Reference(medium, (View(Network("x", "")),), (9.0, 9.0)),)))
    assert np.array_equal(session_pins.pins()[0].clip.frames, bird.clip().frames)


def test_a_figure_too_large_for_the_tray_is_one_line_and_changes_nothing(own, session, monkeypatch):
    model, _ = own
    clip = clip_of("a.png")
    pin = session_pins.add(reference_of(clip, model), clip)
    monkeypatch.setattr(session_pins, "MOST_BYTES", 1)
    open_recipe.begin(Recipe("parts", (pin.reference,)))
    assert "MB" in session["figure-open-problem"]
    assert session_pins.pins() == (pin,)
    assert "figure-settings" not in session


def test_points_go_to_the_pins_of_their_pictures(own, one_line):
    model, _ = own
    for name in ("birds/a.png", "b.png"):
        clip = clip_of(name)
        session_pins.add(reference_of(clip, model), clip)
    csv = b"image,name,x,y\nbirds/a.png,beak,3,4\nc.png,eye,5,6\n"
    told = figure_keypoints.give(keypoints.read_bytes(csv, "points.csv"), "p1")
    assert "1 of 2" in told
    assert [pin.reference.parts for pin in session_pins.pins()] == [(Part("beak", 3.0, 4.0),), ()]
    strange = keypoints.read_bytes(b"image,name,x,y\nz.png,eye,5,6\n", "points.csv")
    with pytest.raises(OutsideError) as problem:
        figure_keypoints.give(strange, "p1")
    one_line(problem.value)


def test_points_without_a_picture_go_to_the_chosen_pin(own):
    model, _ = own
    clip = clip_of("a.png")
    session_pins.add(reference_of(clip, model), clip)
    second = session_pins.add(reference_of(clip, model, at=(5.5, 5.5)), clip)
    figure_keypoints.give(keypoints.read_bytes(b"name,x,y\nbeak,3,4\n", "p.csv"), second.id)
    assert [len(pin.reference.parts) for pin in session_pins.pins()] == [0, 1]


def test_cubs_files_are_read_together():
    files = {
        "images.txt": b"1 001.A/a.jpg\n2 002.B/b.jpg\n",
        "part_locs.txt": b"1 1 3.5 4.5 1\n1 2 0 0 0\n",
        "parts.txt": b"1 back\n2 beak\n",
    }
    assert keypoints.read_files(files).of("a.jpg") == (Part("back", 3.5, 4.5),)


def test_cells_of_the_table_of_parts_change_what_was_typed():
    parts = (Part("a", 1.0, 2.0), Part("b", 3.0, 4.0))
    rows = {1: {"Part": "beak", "x": 5}, 0: {"y": None}}
    assert figure_keypoints.edited(parts, rows) == (parts[0], Part("beak", 5.0, 4.0))


def test_an_opened_recipe_sets_everything_and_another_preset_keeps_the_page():
    look, layout = Look(threshold=0.123), Layout(width_mm=77.7, captions="(A)", row_labels=("x",))
    reference = Reference(Medium("a.png", "1" * 64), (View(Network("n", "2" * 64)),), (1.0, 2.0))
    figure_settings.take(Recipe("arrows", (reference,), look, layout))
    chosen = figure_settings.current()
    assert (chosen.preset, chosen.look, chosen.layout) == ("arrows", look, layout)
    assert chosen.fitted([reference]) == chosen
    other = chosen.with_preset("matrix")
    assert other.look == TABLE["matrix"].look
    assert (other.layout.width_mm, other.layout.captions) == (77.7, "(A)")
    assert other.layout.row_labels == ()
    assert other.with_preset("arrows").layout.row_labels == ("x",)


def test_captures_that_take_too_much_are_dropped_oldest_first(monkeypatch):
    monkeypatch.setattr(figure_sources, "MOST_BYTES", 5)
    sizes = {"a": 3, "b": 2, "c": 2}
    memo = Memo(captures={name: SimpleNamespace(nbytes=size) for name, size in sizes.items()})
    memo.limit()
    assert list(memo.captures) == ["b", "c"]
    memo.captures["d"] = SimpleNamespace(nbytes=99)
    memo.limit()
    assert list(memo.captures) == ["d"]


def test_what_a_capture_takes_is_what_its_factors_take(own):
    model, _ = own
    clip = clip_of("a.png")
    reference = session_pins.add(reference_of(clip, model), clip).reference
    capture = figure_sources.sources().capture(reference.medium, reference.views[0])
    [block] = capture.blocks.values()
    factors = {block.queries, block.keys, block.block_input}
    assert capture.nbytes == sum(one.numel() * one.element_size() for one in factors)
