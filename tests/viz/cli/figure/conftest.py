"""Tiny networks and a photo for ``figure`` and ``render``, and how these are called."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from errors import OutsideError
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec
from models.zoo import catalogue
from tests.conftest import assert_one_line, draw, make_tiny
from viz.cli import main


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


@pytest.fixture
def made(photo, tmp_path, capsys) -> Path:
    """The recipe of a figure of the photo, in a folder of its own."""
    out = tmp_path / "made" / "a.json"
    out.parent.mkdir()
    assert figure(photo, *outs(out)) == 0
    capsys.readouterr()
    return out
