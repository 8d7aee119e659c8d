"""Arrows point one way: which room may import which."""

import pytest

from tests.import_order import (
    ORDER,
    ROOMS,
    circles,
    imported,
    module_name,
    order_faults,
    room_faults,
    sources,
    text_of,
)
from tests.paths import ROOT


@pytest.mark.parametrize(
    ("room", "path"), [pytest.param(*s, id=str(s[1].relative_to(ROOT))) for s in sources()]
)
def test_a_module_imports_only_the_rooms_below_it(room, path):
    assert room_faults(room, text_of(path)) == []


def test_every_room_that_must_exist_was_walked():
    rooms = {room for room, _path in sources()}
    assert rooms == set(ROOMS)
    assert len(sources()) > 150


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=module_name(path)) for room, path in sources() if room in ORDER],
)
def test_a_module_imports_only_its_own_part_of_the_room_or_those_before_it(path):
    assert order_faults(module_name(path), text_of(path)) == []


def test_every_part_in_the_order_is_there():
    known = {module_name(path) for _room, path in sources()}
    for room, order in ORDER.items():
        for part in order:
            name = f"{room}.{part}"
            assert any(f"{one}.".startswith(f"{name}.") for one in known), name


def test_modules_do_not_import_in_a_circle():
    names = {module_name(path): path for _room, path in sources()}

    def module_of(name: str) -> str:
        while name and name not in names:
            name = name.rpartition(".")[0]
        return name

    graph = {
        name: {module_of(one) for one in imported(text_of(path))} - {"", name}
        for name, path in names.items()
    }
    # A package's __init__ may import its own modules, and its modules may stand behind it.
    assert circles(graph) == set()


@pytest.mark.parametrize(
    ("room", "source", "fault"),
    [
        ("errors", "import models", "models"),
        ("models", "from viz.geometry import Box", "viz"),
        ("models", "from PIL import Image", "PIL"),
        ("viz", "def f():\n    import streamlit as st", "streamlit"),
        ("viz", "if True:\n    from ui.components import picker", "ui"),
        ("ui", "import pages.explore", "pages"),
        ("ui", "import app", "app"),
        ("scripts", "from ui.components.picker import picker", "ui"),
        ("viz", "import scripts.training.train_bundled", "scripts"),
        ("viz", "from tests.conftest import draw", "tests"),
    ],
)
def test_a_planted_room_violation_is_caught(room, source, fault):
    assert room_faults(room, source) == [fault]


@pytest.mark.parametrize(
    ("module", "source", "faults"),
    [
        ("viz.geometry", "from viz.media.pictures import read", ["media"]),
        ("viz.media.video", "from viz.rendering import heat", ["rendering"]),
        ("viz.rendering.heat", "import viz.attention.pipeline", ["attention"]),
        ("viz.attention.pipeline", "from viz.figure import api", ["figure.api"]),
        ("viz.attention.pipeline", "def f():\n    from viz.cli.main import main", ["cli"]),
        ("viz.figure.page.grid", "from viz.figure.draw import drawing", ["figure.draw"]),
        ("viz.figure.recipe.recipe", "from viz.figure.panels import presets", ["figure.panels"]),
        ("viz.attention.kinds.affinity", "import viz", ["__init__"]),
        ("models.specs.block", "from models.blocks import kernels", ["blocks"]),
        ("models.blocks.kernels", "import models.zoo.catalogue", ["zoo"]),
        ("models.checkpoints.own", "from models.zoo import cache", ["zoo"]),
        ("models.checkpoints.fill", "from models.checkpoints import own", ["checkpoints"]),
        ("ui.session.pins", "from ui.figure import saves", ["figure"]),
        ("ui.figure.saves", "from ui.explore import movies", ["explore"]),
        ("ui.numbers.gates.gate_view", "from ui.figure.preview import show", ["figure"]),
    ],
)
def test_a_planted_violation_inside_a_room_is_caught(module, source, faults):
    assert order_faults(module, source) == faults


def test_a_planted_circle_is_caught():
    graph = {"types": {"geometry"}, "geometry": {"types"}, "media": {"types"}}
    assert circles(graph) == {"types", "geometry"}


def test_what_is_allowed_is_not_reported():
    assert (
        room_faults("viz", "import torch\nfrom models.blocks import pairwise\nimport errors") == []
    )
    assert order_faults("viz.types", "from viz.geometry import Geometry") == []
    assert order_faults("viz.figure.draw.drawing", "from viz.figure.page import plan") == []
    assert order_faults("viz.cli.maps", "import viz\nfrom viz.cli import options") == []
    assert order_faults("models.zoo.catalogue", "from models.checkpoints import own") == []


def test_a_relative_import_is_refused():
    with pytest.raises(AssertionError, match="relative imports"):
        imported("from . import heat")
