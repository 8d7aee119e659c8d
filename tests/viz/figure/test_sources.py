"""The files and networks behind a recipe: where they are looked for, and read and run once."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from errors import InputError, OutsideError
from models.build import build
from models.specs.gate import CGDSpec
from tests.conftest import draw, make_tiny
from tests.viz.drawn_clips import told
from viz.attention import pipeline
from viz.attention.choice import MapChoice
from viz.attention.kinds.gates import gate_layers
from viz.examples import bird as bird_example
from viz.examples import kick as kick_example
from viz.figure.recipe.recipe import Medium, Network, View
from viz.figure.sources import FileSources
from viz.media import footage


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "here" / "photo.png"
    path.parent.mkdir()
    Image.fromarray(draw(53, 67)[0]).save(path)
    return path


def sha256(path: Path) -> str:
    return footage.load(path).sha256


def medium_of(path: Path, **more) -> Medium:
    return Medium(str(path), sha256(path), **more)


def refusal(one_line, ask, kind: type[Exception] = InputError) -> str:
    with pytest.raises(kind) as caught:
        ask()
    return one_line(caught.value)


@pytest.mark.parametrize(
    ("path", "clip"), [("example:bird", bird_example.clip), ("example:kick", kick_example.clip)]
)
def test_the_examples_are_drawn(path, clip, one_line):
    drawn_now = clip()
    numbers = (0, 5, 31) if len(drawn_now.frames) > 1 else ()
    taken = FileSources().clip(Medium(path, drawn_now.sha256, numbers))
    np.testing.assert_array_equal(taken.frames, drawn_now.frames[list(numbers or (0,))])
    assert taken.numbers == numbers
    said = refusal(one_line, lambda: FileSources().clip(Medium(path, "a" * 64, numbers)))
    assert drawn_now.sha256[:12] in said
    assert "a" * 12 in said


def test_the_frames_of_a_recipe_are_taken_and_no_others(reel, one_line):
    clip = FileSources().clip(medium_of(reel, frames=(2, 3, 9)))
    assert clip.numbers == (2, 3, 9)
    assert [told(frame) for frame in clip.frames] == [2, 3, 9]
    late = medium_of(reel, frames=(3, 11))
    said = refusal(one_line, lambda: FileSources().clip(late), OutsideError)
    assert "Frames [3, 11] cannot be taken; reel.gif has frames 0 to 10" in said


@pytest.mark.parametrize("numbers", [(), (-1,), (3, 2), (2, 2), (1, 2, 11), tuple(range(20))])
def test_frames_that_footage_has_not_are_refused(reel, one_line, numbers):
    refusal(one_line, lambda: footage.load(reel).take(numbers), OutsideError)


def test_a_clip_is_not_taken_for_a_picture(reel, one_line):
    said = refusal(one_line, lambda: FileSources().clip(medium_of(reel)))
    assert "is a clip of 11 frames here, and a picture in the recipe" in said


def test_a_medium_is_found_beside_the_recipe_and_from_the_working_directory(
    photo, tmp_path, monkeypatch
):
    digest = sha256(photo)
    monkeypatch.chdir(tmp_path)
    for folder, path in (
        (photo.parent, "photo.png"),
        (tmp_path, "here/photo.png"),
        (photo.parent, "/gone/photo.png"),
        (photo.parent, "C:\\gone\\photo.png"),
        (None, "here/photo.png"),
        (tmp_path / "nowhere", "here/photo.png"),
    ):
        assert FileSources(folder).clip(Medium(path, digest)).sha256 == digest


def test_of_several_places_the_one_with_the_right_sha256_counts(photo, tmp_path, monkeypatch):
    digest = sha256(photo)
    Image.fromarray(draw(40, 40)[0]).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    assert FileSources(photo.parent).clip(Medium("photo.png", digest)).sha256 == digest
    monkeypatch.chdir(photo.parent)
    assert FileSources(tmp_path).clip(Medium("photo.png", digest)).sha256 == digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lost/a/p.png", "here/photo.png"),
        ("p.png", "here/photo.png"),
        ("lost/a", "here"),
        ("lost", "here/.."),
    ],
)
def test_media_maps_a_path_or_a_folder_above_it(photo, tmp_path, monkeypatch, old, new):
    monkeypatch.chdir(tmp_path)
    (photo.parent / "p.png").write_bytes(photo.read_bytes())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "p.png").write_bytes(photo.read_bytes())
    wanted = Medium("lost/a/p.png", sha256(photo))
    assert FileSources(media={old: new}).clip(wanted).width == 67


def test_a_medium_may_be_mapped_to_an_example():
    bird = bird_example.clip()
    found = FileSources(media={"x.png": "example:bird"}).clip(Medium("x.png", bird.sha256))
    assert found.sha256 == bird.sha256


def test_a_medium_is_found_by_its_hash_among_the_places_that_are_given(photo, tmp_path):
    digest, deep = sha256(photo), tmp_path / "deep" / "down"
    deep.mkdir(parents=True)
    for folder in (tmp_path / "deep", deep):  # one of the same name, and what is no picture
        Image.fromarray(draw(40, 40)[0]).save(folder / "photo.png")
    (tmp_path / "notes.txt").write_text("no picture")
    renamed = photo.rename(tmp_path / "renamed.png")
    wanted = Medium("gone/photo.png", digest)
    given = FileSources(places=[tmp_path / "notes.txt", deep, renamed])
    assert given.clip(wanted).sha256 == digest
    renamed.rename(deep / "photo.png")
    assert FileSources(places=[tmp_path]).clip(wanted).sha256 == digest
    assert FileSources(places=[deep]).clip(Medium("photo.png", "")).sha256 == digest


def test_a_medium_is_looked_for_by_its_name_in_the_working_folder(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    wanted = Medium("/home/ada/photo.png", sha256(photo))
    assert FileSources("/nowhere").clip(wanted).sha256 == wanted.sha256


def test_checkpoints_are_found_by_their_hash_among_several(tmp_path, monkeypatch, one_line):
    loaded = []

    def load(name, _answers):
        loaded.append(name)
        return replace(make_tiny(None), sha256=hashlib.sha256(b"two").hexdigest())

    for name, content in (("a/net.pth", b"one"), ("b/net.pth", b"two"), ("c/bare", b"two")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path / "a")
    wanted = Network("net.pth", hashlib.sha256(b"two").hexdigest())
    for places in ([tmp_path / "b"], [tmp_path / "b" / "net.pth"], [tmp_path]):
        FileSources(places=places, load=load).model(wanted)
    FileSources(tmp_path / "c", load=load).model(replace(wanted, id="bare"))
    nearest = str(tmp_path / "b" / "net.pth")
    assert loaded == [nearest] * 3 + [str(tmp_path / "c" / "bare")]
    elsewhere = FileSources(places=[tmp_path / "c"], load=load)
    said = refusal(one_line, lambda: elsewhere.model(replace(wanted, id="lost.pth")))
    assert "lost.pth is missing" in said
    assert "--network PATH (the file, or a folder that has it)" in said


def test_a_missing_medium_is_named_with_its_sha256_and_what_to_do(tmp_path, one_line):
    lost = Medium("lost/photo.png", "c0ffee" + "0" * 58)
    said = refusal(one_line, lambda: FileSources(tmp_path).clip(lost))
    assert "lost/photo.png is missing (sha256 c0ffee000000)" in said
    assert "--media lost/photo.png=PATH" in said
    mapped = FileSources(tmp_path, {"lost/photo.png": "also/lost.png"})
    assert "missing at also/lost.png" in refusal(one_line, lambda: mapped.clip(lost))


def test_a_changed_medium_is_named_with_both_hashes(photo, one_line):
    wanted = medium_of(photo)
    Image.fromarray(draw(53, 68)[0]).save(photo)
    said = refusal(one_line, lambda: FileSources().clip(wanted))
    assert sha256(photo)[:12] in said
    assert wanted.sha256[:12] in said
    assert f"--media {photo}=PATH" in said


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "\udcff.png", "example:none", "/dev/null"])
def test_odd_paths_are_one_line(tmp_path, one_line, path):
    refusal(one_line, lambda: FileSources(tmp_path).clip(Medium(path, "0" * 64)))


def test_without_a_sha256_nothing_is_compared(photo):
    assert FileSources().clip(Medium(str(photo), "")).width == 67


def test_a_network_is_loaded_once_by_its_id_with_its_answers():
    asked = []

    def load(name, answers):
        asked.append((name, answers))
        return make_tiny(None)

    sources = FileSources(load=load)
    first = sources.network("tiny", {"kernel": "cgnlx"})
    assert sources.model(Network("tiny", "0" * 64, (("kernel", "cgnlx"),))) is first
    assert asked == [("tiny", {"kernel": "cgnlx"})]


def test_a_network_with_other_weights_is_named_with_both_hashes(plain_model, one_line):
    sources = FileSources(load=lambda _name, _answers: plain_model)
    said = refusal(one_line, lambda: sources.model(Network("tiny", "b" * 64)))
    assert "0" * 12 in said
    assert "b" * 12 in said
    assert "--network tiny=PATH" in said


def test_networks_are_mapped_and_checkpoints_found_beside_the_recipe(tmp_path, one_line):
    asked = []

    def load(name, _answers):
        asked.append(name)
        return make_tiny(None)

    (tmp_path / "net.pth").touch()
    sources = FileSources(tmp_path, networks={"old": "new.pth"}, load=load)
    sources.model(Network("old", "0" * 64))
    sources.model(Network("/gone/net.pth", "0" * 64))
    assert asked == ["new.pth", str(tmp_path / "net.pth")]
    said = refusal(one_line, lambda: sources.model(Network("none.pth", "d" * 64)))
    assert "none.pth is missing (sha256 dddddddddddd)" in said
    assert "--network none.pth=PATH" in said


def test_an_unknown_network_says_which_there_are(one_line):
    assert "use one of" in refusal(one_line, lambda: FileSources().network("nothing"))


def test_a_network_runs_once_for_a_medium_a_mode_and_a_size(photo, nl_model, monkeypatch):
    ran = []
    real = pipeline.run
    monkeypatch.setattr(pipeline, "run", lambda *args: ran.append(args) or real(*args))
    sources = FileSources(load=lambda _name, _answers: nl_model)
    medium, view = medium_of(photo), View(Network("tiny", "0" * 64))
    first = sources.capture(medium, view)
    for same in (
        view,
        replace(view, block="res4.4", shown=MapChoice("union")),
        replace(view, kind="features", maps="groups", count=9, label="Ours"),
        replace(view, size=64),
    ):
        assert sources.capture(medium, same) is first
    assert len(ran) == 1
    for other in (replace(view, size=96), replace(view, mode="center-crop")):
        assert sources.capture(medium, other) is not first
    assert len(ran) == 3
    expected = pipeline.capture(nl_model, sources.clip(medium))
    np.testing.assert_allclose(first.logits, expected.logits)


def test_a_network_of_one_input_size_gets_it(photo, nl_model):
    spec = replace(nl_model.spec, preprocessing=replace(nl_model.spec.preprocessing, fixed=True))
    fixed = replace(nl_model, spec=spec)
    sources = FileSources(load=lambda _name, _answers: fixed)
    medium, view = medium_of(photo), View(Network("tiny", "0" * 64), size=128)
    capture = sources.capture(medium, view)
    assert capture.geometry.input_width == capture.geometry.input_height == 64
    assert sources.capture(medium, replace(view, mode="center-crop", size=None)) is capture


def test_gates_come_with_the_capture_and_are_computed_once(photo, monkeypatch):
    gated = make_gated()
    ran = []
    real = pipeline.run
    monkeypatch.setattr(pipeline, "run", lambda *args: ran.append(args) or real(*args))
    sources = FileSources(load=lambda _name, _answers: gated)
    medium, view = medium_of(photo), View(Network("tiny", "0" * 64))
    found = gate_layers(sources.capture(medium, view))
    again = gate_layers(sources.capture(medium, replace(view, block=found[0].name)))
    assert all(one is other for one, other in zip(found, again, strict=True))
    assert len(ran) == 1
    assert [layer.name for layer in found] == list(gated.network.gated())
    assert found
    geometry = sources.capture(medium, view).geometry
    assert geometry == pipeline.prepare(gated, sources.clip(medium)).geometry


def make_gated():
    plain = make_tiny(None)
    spec = replace(plain.spec, gate=CGDSpec())
    return replace(plain, spec=spec, network=build(spec).eval())


def test_footage_is_read_once_for_all_its_media(reel, monkeypatch):
    read = []
    real = footage.load
    monkeypatch.setattr(footage, "load", lambda path, _levels: read.append(path) or real(path))
    sources = FileSources()
    digest = sources.footage(str(reel)).sha256
    for taken in ((1,), (2, 4), (1, 7)):
        clip = sources.clip(Medium(str(reel), digest, taken))
        assert [told(frame) for frame in clip.frames] == list(taken)
    assert len(read) == 1
