"""``figure`` and ``render``: files, the same bytes from either and from Python, and refusals."""

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
from PIL import Image

import viz.figure
from errors import OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec
from models.zoo import catalogue
from tests.conftest import assert_one_line, draw, make_tiny
from tests.viz.drawn_clips import animation, frames
from viz.cli import figure as figure_command
from viz.cli import main
from viz.figure.files import export
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Layout
from viz.media import footage
from viz.rendering.look import Look
from viz.types import Sampling

pytestmark = pytest.mark.slow


def gated():
    plain = make_tiny(None)
    spec = replace(plain.spec, gate=CGDSpec())
    return replace(plain, spec=spec, network=build(spec).eval())


WRN = CompactSpec("wrn", "10-1", 10)
"""A network with neither blocks nor stages to look at."""
NETWORKS = {
    "nl": lambda: make_tiny(NonLocalSpec()),
    "cgnl": lambda: make_tiny(CGNLSpec(groups=8)),
    "plain": lambda: LoadedModel("plain", WRN, build(WRN), (), "5" * 64),
    "cgd": gated,
}


@pytest.fixture(autouse=True)
def networks(monkeypatch) -> dict[str, int]:
    """Tiny networks in the place of the catalogue's; how often each was loaded."""
    made, loaded = {}, {}

    def load(name, answers=(), progress=None, **_more):
        if name not in NETWORKS:
            raise OutsideError(f"{name!r} is not a network; use one of {', '.join(NETWORKS)}.")
        loaded[name] = loaded.get(name, 0) + 1
        made.setdefault(name, replace(NETWORKS[name](), id=name, sha256=name.encode().hex()))
        return made[name]

    monkeypatch.setattr(catalogue, "load", load)
    return loaded


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(draw(80, 96)[0]).save(path)
    return path


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    path = tmp_path / "reel.gif"
    path.write_bytes(animation(frames(11)))
    return path


def figure(path: Path, *more: str, preset: str = "parts", at: str = "48,26") -> int:
    return main.main(
        ["figure", preset, str(path), "--model", "nl", "--model", "cgnl", "--at", at, *more]
    )


def render(path: Path, *more: str) -> int:
    return main.main(["render", str(path), *more])


def outs(*paths: Path) -> list[str]:
    return [word for path in paths for word in ("--out", str(path))]


def refusal(capsys) -> str:
    """Check that a command printed one line of refusal, and return it."""
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1, printed.err
    assert_one_line(ValueError(printed.err.strip()))
    return printed.err


def test_figure_render_and_python_give_the_same_bytes(photo, tmp_path, capsys):
    made = [tmp_path / f"a.{kind}" for kind in ("pdf", "svg", "png", "json")]
    assert figure(photo, "--threshold", "0.5", "--width", "cvpr-text", *outs(*made)) == 0
    told = capsys.readouterr().out
    assert "parts: 174.6 x" in told
    assert " mm, 7 panels" in told
    assert all(f"wrote {path} (" in told for path in made)
    api = viz.figure.parts(str(photo), ["nl", "cgnl"], (48, 26), threshold=0.5, width_mm=174.625)
    for path in made:
        again = tmp_path / f"again{path.suffix}"
        assert render(path, *outs(again)) == 0
        assert again.read_bytes() == path.read_bytes(), path.suffix
        by_python = api.save(tmp_path / f"python{path.suffix}")
        assert by_python.read_bytes() == path.read_bytes(), path.suffix


def test_a_clip_gives_a_still_and_a_recipe_of_its_sampled_frames(reel, tmp_path):
    asked = [
        "--frames",
        "4",
        "--step",
        "2",
        "--frame",
        "1",
        "--shown",
        "group 3",
        "--shown",
        "union",
    ]
    assert (
        figure(
            reel,
            *asked,
            *outs(tmp_path / "a.png", tmp_path / "a.json"),
            preset="frames",
            at="20,20",
        )
        == 0
    )
    (reference,) = recipe_json.loads((tmp_path / "a.json").read_bytes()).references
    assert reference.medium.frames == footage.load(reel).numbers(Sampling(4, 2))
    assert reference.frame == 1
    assert [str(view.shown) for view in reference.views] == ["group 3", "union"]
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == round(139.7 / 25.4 * 300)


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
def test_a_clip_gives_a_movie_and_render_the_same_one(reel, tmp_path, kind):
    made, again = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    asked = ["--frames", "3", "--dpi", "60", *outs(made, tmp_path / "a.json")]
    assert figure(reel, *asked, preset="frames", at="20,20") == 0
    assert render(tmp_path / "a.json", *outs(again)) == 0
    assert made.read_bytes() == again.read_bytes()
    assert len(footage.load(made).times) == 3


def test_a_photo_gives_no_movie(photo, tmp_path, capsys):
    assert figure(photo, *outs(tmp_path / "a.png", tmp_path / "a.mp4")) == 2
    refusal(capsys)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(("preset", "model"), [("gates", "cgd"), ("matrix", "nl")])
def test_gates_and_matrices_need_no_reference(photo, tmp_path, preset, model):
    out = tmp_path / "a.png"
    assert main.main(["figure", preset, str(photo), "--model", model, *outs(out)]) == 0
    assert out.exists()


def test_the_options_of_the_command_line_are_the_fields_of_the_recipe(photo, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("beak,40,20\n")
    given = [
        "--count", "2", "--channels", "response", "--label", "NL", "--label", "CGNL",
        "--size", "96", "--mode", "center-crop", "--truth", str(points), "--captions", "(a)",
        "--captions-of", "rows", "--labels", "off", "--font", "times", "--font-size", "7",
        "--gap", "1.5", "--dpi", "200", "--bar", "row", "--scale", "row", "--transpose", "on",
        "--crop", "square", "--regions", "all", "--greyscale", "on", "--row-label", "a",
        "--row-label", "b", "--normalise", "fixed", "--range", "0,2", "--colormap", "viridis",
        "--opacity", "0.5", "--interpolation", "nearest",
    ]  # fmt: skip
    args = main.parser().parse_args(
        ["figure", "parts", str(photo), "--model", "nl", "--at", "1,2", "--out", "x.pdf", *given]
    )
    layout = figure_command._layout(args)
    assert layout == {
        "captions": "(a)", "captions_of": "rows", "labels": False, "font": "times", "font_pt": 7.0,
        "gap_mm": 1.5, "dpi": 200, "bar": "row", "scale": "row", "transpose": True,
        "crop": "square", "regions": "all", "greyscale": True, "row_labels": ["a", "b"],
    }  # fmt: skip
    out = tmp_path / "a.json"
    unlabelled = [word for word in given if word not in ("--row-label", "a", "b")]
    assert figure(photo, *unlabelled, *outs(out)) == 0
    found = recipe_json.loads(out.read_bytes())
    assert found.look == Look("fixed", 0.7, "viridis", 0.5, "nearest", (0.0, 2.0))
    (reference,) = found.references
    assert [(v.label, v.count, v.size, v.mode) for v in reference.views] == [
        ("NL", 2, 96, "center-crop"), ("CGNL", 2, 96, "center-crop"),
    ]  # fmt: skip
    assert reference.parts[0].name == "beak"


def test_every_field_of_look_and_layout_has_an_option():
    args = vars(
        main.parser().parse_args(["figure", "parts", "x", "--model", "m", "--out", "x.pdf"])
    )
    options = {figure_command._FIELDS.get(name.replace("_", "-"), name) for name in args}
    renamed = {"heat_opacity": "opacity", "fixed_range": "range"}
    for field in (*fields(Look), *fields(Layout)):
        assert renamed.get(field.name, field.name) in options


def test_networks_are_loaded_and_media_read_once(photo, tmp_path, networks, monkeypatch):
    read, real = [], footage.load
    monkeypatch.setattr(footage, "load", lambda path, _levels: read.append(path) or real(path))
    assert figure(photo, *outs(tmp_path / "a.png", tmp_path / "a.pdf")) == 0
    assert networks == {"nl": 1, "cgnl": 1}
    assert len(read) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--at", "3,x"], "two numbers"),
        (["--at", "1,1"], "2 references do not fit 1 inputs"),
        (["--out", "b.bmp"], "b.bmp has no known ending; give .json"),
        (["--out", "b"], "--out b has no known ending; give .json"),
        (["--width", "wide"], "cvpr-column"),
        (["--width", "3"], "layout.width_mm is 3.0; "),
        (["--dpi", "9"], "layout.dpi is 9; "),
        (["--gap", "nan"], "layout.gap_mm"),
        (["--font-size", "-1"], "layout.font_pt"),
        (["--row-label", "x" * 10_000], "layout.row_labels[0]"),
        (["--threshold", "1.5"], "give 0 to 1"),
        (["--range", "0,1"], "go together"),
        (["--arrows", "9999"], "0 to 200"),
        (["--frame", "1"], "has one frame, 0"),
        (["--frames", "4"], "--frames does not go with a single picture"),
        (["--size", "7"], "Size 7 is out of range; give 16 to 1344"),
        (["--count", "0"], "views[0].count is 0; "),
        (
            ["--count", "1", "--count", "2", "--count", "3"],
            "values of count do not fit 2 networks",
        ),
        (["--shown", "best"], "'best' is not a map; write channel 1"),
        (["--channels", "<b>"], "use auto"),
        (["--block", "res9.9"], "it has res4.4"),
        (["--model", "nothing"], "use one of nl"),
        (["--model", "plain"], "no attention block"),
        (["--truth", "none.csv"], "none.csv could not be read"),
        (["--set", "kernel"], "NAME=VALUE"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(
    photo, tmp_path, monkeypatch, capsys, change, words
):
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert figure(photo, *outs(folder / "a.png"), *change) == 2
    assert words in refusal(capsys)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("preset", "more", "words"),
    [
        ("parts", [], "--at is missing; parts shows"),
        ("arrows", ["--at", "500,400"], "Choose a point inside"),
        ("gates", [], "gate"),
    ],
)
def test_what_a_preset_needs_is_said(photo, tmp_path, capsys, preset, more, words):
    out = tmp_path / "a.png"
    assert main.main(["figure", preset, str(photo), "--model", "nl", *more, *outs(out)]) == 2
    assert words in refusal(capsys)
    assert not out.exists()


@pytest.mark.parametrize("kind", ["png", "json"])
def test_a_folder_that_is_missing_or_a_file_is_refused(photo, tmp_path, capsys, kind):
    (tmp_path / "taken").write_text("mine")
    for place in (tmp_path / "none" / f"a.{kind}", tmp_path / "taken" / f"a.{kind}"):
        assert figure(photo, *outs(place)) == 2
        assert "was not saved" in refusal(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.png", "taken"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(photo, tmp_path, capsys):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert figure(photo, *outs(folder / "a.png")) == 2
    assert "was not saved" in refusal(capsys)


def test_a_full_disk_leaves_nothing_and_what_was_there_before(photo, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_text("before")

    def fill_the_disk(path: Path, content: bytes) -> int:
        with path.open("wb") as opened:
            opened.write(content[:9])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    assert figure(photo, *outs(folder / "a.png")) == 2
    assert "was not saved" in refusal(capsys)
    assert [path.name for path in folder.iterdir()] == ["a.png"]
    assert (folder / "a.png").read_text() == "before"


def test_nothing_is_written_before_everything_is_drawn(photo, tmp_path, capsys, monkeypatch):
    real = export.write

    def write(drawing, kind, dpi, text):
        if kind == "svg":
            raise OutsideError("No.")
        return real(drawing, kind, dpi, text)

    monkeypatch.setattr(export, "write", write)
    assert figure(photo, *outs(tmp_path / "a.png", tmp_path / "a.svg")) == 2
    refusal(capsys)
    assert not (tmp_path / "a.png").exists()


@pytest.fixture
def made(photo, tmp_path, capsys) -> Path:
    """The recipe of a figure of the photo, in a folder of its own."""
    out = tmp_path / "made" / "a.json"
    out.parent.mkdir()
    assert figure(photo, *outs(out)) == 0
    capsys.readouterr()
    return out


def test_a_moved_picture_is_found_beside_the_recipe_or_as_media_says(photo, made, tmp_path, capsys):
    first, second = tmp_path / "1.png", tmp_path / "2.png"
    moved = photo.rename(made.parent / photo.name)
    assert render(made, *outs(first)) == 0
    elsewhere = tmp_path / "else=where.png"
    moved.rename(elsewhere)
    capsys.readouterr()
    assert render(made, *outs(second)) == 2
    told = refusal(capsys)
    assert "photo.png is missing" in told
    assert json.loads(made.read_text())["references"][0]["medium"]["sha256"][:12] in told
    assert render(made, *outs(second), "--media", f"{photo}={elsewhere}") == 0
    assert second.read_bytes() == first.read_bytes()


def test_a_changed_picture_is_named_with_both_hashes(photo, made, tmp_path, capsys):
    before = footage.load(photo).sha256
    Image.fromarray(draw(80, 97)[0]).save(photo)
    assert render(made, *outs(tmp_path / "a.png")) == 2
    told = refusal(capsys)
    assert before[:12] in told
    assert footage.load(photo).sha256[:12] in told
    assert not (tmp_path / "a.png").exists()


def test_a_network_is_mapped_and_another_one_refused_with_both_hashes(made, tmp_path, capsys):
    text = made.read_text().replace('"id": "cgnl"', '"id": "old=1"')
    made.write_text(text)
    assert render(made, *outs(tmp_path / "a.png"), "--network", "old=1=cgnl") == 0
    capsys.readouterr()
    assert render(made, *outs(tmp_path / "b.png"), "--network", "old=1=nl") == 2
    told = refusal(capsys)
    assert b"cgnl".hex() in told
    assert b"nl".hex() in told


@pytest.mark.parametrize("text", ["lost.png=new.png", "photo.png", "=", "=a", "a="])
@pytest.mark.parametrize("option", ["--media", "--network"])
def test_what_the_recipe_does_not_name_cannot_be_mapped(made, tmp_path, capsys, option, text):
    assert render(made, *outs(tmp_path / "a.png"), option, text) == 2
    assert "give OLD=NEW, OLD as in the recipe: " in refusal(capsys)


def test_versions_that_differ_are_told(made, tmp_path, capsys):
    content = json.loads(made.read_text())
    assert content["versions"] == recipe.here()
    content["versions"] |= {"torch": "1.0", "gone": "3"}
    made.write_text(json.dumps(content))
    assert render(made, *outs(tmp_path / "a.json")) == 0
    here = recipe.here()["torch"]
    told = capsys.readouterr().out.splitlines()[0]
    assert told == (
        f"made with torch 1.0 (here {here}), gone 3 (here none): maps agree to 1e-5, bytes may "
        "differ"
    )
    assert recipe_json.loads((tmp_path / "a.json").read_bytes()).versions["torch"] == "1.0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "nonlocal-viz-figure/9"}, "version 9"),
        ({"format": "other"}, "is of format"),
        ({"colour": 1}, "colour is not known"),
        ({"preset": "pie"}, "preset is 'pie'; "),
        ({"references": []}, "references"),
        ({"layout": {"dpi": "300"}}, "layout.dpi is '300'; "),
        ({"look": {"threshold": float("nan")}}, "NaN"),
        ({"layout": {"row_labels": ["x" * 10_000]}}, "layout.row_labels[0]"),
    ],
)
def test_a_bad_recipe_is_one_line_and_writes_nothing(made, tmp_path, capsys, change, words):
    made.write_text(json.dumps(json.loads(made.read_text()) | change))
    assert render(made, *outs(tmp_path / "a.png")) == 2
    assert words in refusal(capsys)
    assert not (tmp_path / "a.png").exists()


def test_ten_thousand_panels_are_refused_before_anything_runs(made, tmp_path, capsys, networks):
    content = json.loads(made.read_text())
    for view in content["references"][0]["views"]:
        view["count"] = 64
    content["references"] *= 64
    made.write_text(json.dumps(content))
    networks.clear()
    assert render(made, *outs(tmp_path / "a.png")) == 2
    assert "panels" in refusal(capsys)
    assert networks == {}


def test_what_holds_no_recipe_is_refused(photo, tmp_path, capsys):
    text = tmp_path / "a.pdf"
    text.write_text("not a figure")
    for path in (photo, text, tmp_path / "none.json", tmp_path):
        assert render(path, *outs(tmp_path / "b.png")) == 2
        refusal(capsys)
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("label", ["$\\frac{", "<b>&amp;", "$", "\\", "a\nb", "_^{}%#"])
def test_labels_are_shown_as_they_are(photo, tmp_path, label):
    made = [tmp_path / f"a.{kind}" for kind in ("pdf", "svg", "png", "json")]
    assert figure(photo, "--row-label", label, *outs(*made)) == 0
    assert recipe_json.loads(made[3].read_bytes()).layout.row_labels == (label,)
