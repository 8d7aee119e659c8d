"""``maps --object`` and the preset objects, on a detector's own weight file."""

import numpy as np
import pytest
from PIL import Image

import viz
from models.checkpoints import own
from tests.conftest import draw, make_tiny
from tests.viz.tiny_detectors import NAMES, c4
from viz.cli import main

pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("detector")
    Image.fromarray(draw(53, 67)[0]).save(where / "street.png")
    own.write(where / "detector.safetensors", c4().network, NAMES, "A tiny detector")
    tiny = make_tiny(None)
    own.write(where / "classifier.safetensors", tiny.network, tiny.class_names, "A tiny one")
    return where


def maps(folder, *more: str, model: str = "detector") -> int:
    where = [str(folder / "street.png"), "--model", str(folder / f"{model}.safetensors")]
    return main.main(["maps", *where, "--out", str(folder / "out"), *more])


def test_an_object_is_the_reference(folder, capsys):
    assert maps(folder, "--object", "1") == 0
    said = capsys.readouterr().out
    assert "by detector" in said
    assert "object 0 " in said
    assert "res4.4: reference row" in said
    assert (folder / "out" / "street-NL.png").exists()
    with np.load(folder / "out" / "maps.npz") as kept:
        assert kept.files


def test_the_mean_over_an_object_is_written_and_drawn_again(folder, capsys):
    assert maps(folder, "--object", "1", "--mean") == 0
    assert "NL mean" in capsys.readouterr().out
    picture = folder / "out" / "street-NL-mean.png"
    again = folder / "again.png"
    assert main.main(["render", str(folder / "out" / "recipe.json"), "--out", str(again)]) == 0
    assert again.read_bytes() == picture.read_bytes()
    model = viz.load(str(folder / "detector.safetensors"))
    row = viz.mean_row(viz.capture(model, folder / "street.png"), 1)
    with np.load(folder / "out" / "maps.npz") as kept:
        assert np.allclose(kept["values"][0], row.values, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "model", "words"),
    [
        (("--object", "999"), "detector", "999 is not an object of this picture"),
        (("--object", "-1"), "detector", "-1 is not an object of this picture"),
        (("--object", "0"), "classifier", "classifies and finds no objects"),
        (("--at", "5,5", "--kind", "class maps"), "detector", "detector"),
        (("--at", "5,5", "--mean"), "detector", "--mean needs --object"),
    ],
)
def test_what_cannot_be_is_one_line(folder, capsys, given, model, words):
    assert maps(folder, *given, model=model) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_a_pixel_and_an_object_are_one_too_many(folder, capsys):
    with pytest.raises(SystemExit) as stop:
        maps(folder, "--object", "0", "--at", "5,5")
    assert stop.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_a_figure_of_objects(folder, capsys):
    out = folder / "objects.svg"
    model = str(folder / "detector.safetensors")
    where = ["figure", "objects", str(folder / "street.png"), "--model", model, "--maps", "0,1"]
    assert main.main([*where, "--out", str(out)]) == 0
    text = out.read_text()
    assert "object-0-0-0" in text
    assert "object-1-0-2" in text
