"""``figure``: files, their options, and the same bytes from ``render`` and from Python."""

from dataclasses import fields

import pytest
from PIL import Image

import viz.figure
from tests.viz.cli.figure.conftest import figure, outs, render
from viz.cli import figure as figure_command
from viz.cli import main
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Layout
from viz.media import footage
from viz.rendering.look import Look
from viz.types import Sampling

pytestmark = pytest.mark.slow


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


def test_a_figure_that_is_taller_than_a_page_says_so(photo, tmp_path, capsys):
    asked = outs(tmp_path / "a.json")
    for turned in ("on", "off"):
        assert figure(photo, *asked, "--transpose", turned) == 0
        assert ("taller than a journal's page (247 mm)" in capsys.readouterr().out) == (
            turned == "on"
        )


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


@pytest.mark.parametrize("label", ["$\\frac{", "<b>&amp;", "$", "\\", "a\nb", "_^{}%#"])
def test_labels_are_shown_as_they_are(photo, tmp_path, label):
    made = [tmp_path / f"a.{kind}" for kind in ("pdf", "svg", "png", "json")]
    assert figure(photo, "--row-label", label, *outs(*made)) == 0
    assert recipe_json.loads(made[3].read_bytes()).layout.row_labels == (label,)
