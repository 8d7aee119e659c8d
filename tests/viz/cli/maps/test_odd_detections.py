"""Detectors and pictures that are hard to show: nothing found, many, slivers, NaN, classifiers."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.build import build
from models.checkpoints import own
from tests.conftest import draw, make_tiny
from tests.viz.tiny_detectors import NAMES, c4, c4_spec
from viz.cli import main

pytestmark = pytest.mark.usefixtures("small_pages")


def _never(spec):
    return replace(spec, score=1.0)


def _many(spec):
    return replace(spec, detections=300, proposals=1000)


def _endless(network):
    """Weights that are numbers, and whose products are none."""
    for name, value in network.trunk.state_dict().items():
        if "bn" in name and name.endswith("weight"):
            value.fill_(6e4)


FILES = {
    "boxes": (lambda spec: spec, None),
    "nothing": (_never, None),
    "hundreds": (_many, None),
    "endless": (lambda spec: spec, _endless),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("odd")
    Image.fromarray(draw(53, 67)[0]).save(where / "street.png")
    for name, (height, width) in {
        "tall": (600, 100),
        "wide": (100, 3000),
        "sliver": (20, 3000),
    }.items():
        Image.fromarray(draw(height, width)[0]).save(where / f"{name}.png")
    state = c4().network.state_dict()
    for name, (change, damage) in FILES.items():
        network = build(change(c4_spec()))
        network.load_state_dict(state)
        if damage is not None:
            damage(network)
        own.write(where / f"{name}.safetensors", network, NAMES, "A tiny detector")
    tiny = make_tiny(None)
    own.write(where / "classifier.safetensors", tiny.network, tiny.class_names, "A tiny one")
    return where


def maps(folder, model: str, *more: str, picture: str = "street.png") -> int:
    where = [str(folder / picture), "--model", str(folder / model), "--out", str(folder / "out")]
    return main.main(["maps", *where, *more])


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("nothing.safetensors", ("--object", "0"), "nothing was found in it"),
        ("endless.safetensors", ("--object", "0"), "not finite numbers"),
        ("endless.safetensors", ("--at", "5,5"), "not finite numbers"),
        ("classifier.safetensors", ("--object", "0"), "classifies and finds no objects"),
        ("classifier.safetensors", ("--object", "0", "--mean"), "classifies and finds no objects"),
        (
            "boxes.safetensors",
            ("--object", "0", "--kind", "class maps"),
            "this network is a detector",
        ),
        ("boxes.safetensors", ("--object", "5000"), "5000 is not an object"),
    ],
)
def test_what_cannot_be_shown_is_one_line(folder, capsys, model, given, words):
    assert maps(folder, model, *given) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line, line


def test_a_picture_in_which_nothing_is_found_is_still_looked_at(folder, capsys):
    assert maps(folder, "nothing.safetensors", "--at", "30,20") == 0
    assert "nothing found" in capsys.readouterr().out
    out = folder / "none.svg"
    asked = ["figure", "objects", str(folder / "street.png"), "--model"]
    assert main.main([*asked, str(folder / "nothing.safetensors"), "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "No object scores 0.5" in line


def test_hundreds_of_objects_are_listed_shortly_and_the_last_can_be_taken(folder, capsys):
    assert maps(folder, "hundreds.safetensors", "--object", "40") == 0
    said = capsys.readouterr().out
    assert sum(line.startswith("object ") for line in said.splitlines()) == 20


def test_a_sliver_is_refused_as_every_picture_of_its_shape(folder, capsys):
    assert maps(folder, "boxes.safetensors", "--object", "0", picture="sliver.png") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "at most 32 times as long as wide" in line


@pytest.mark.parametrize("picture", ["tall.png", "wide.png"])
def test_long_pictures_are_taken(folder, capsys, picture):
    assert maps(folder, "boxes.safetensors", "--object", "0", "--mean", picture=picture) == 0
    assert "object 0 " in capsys.readouterr().out
    with np.load(folder / "out" / "maps.npz") as kept:
        assert np.isfinite(kept["values"]).all()
