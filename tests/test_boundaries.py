"""Arrows point one way: which room may import which, read from the source with ast."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "models": {"errors"},
    "viz": {"errors", "models"},
    "ui": {"errors", "models", "viz"},
    "pages": {"errors", "models", "viz", "ui"},
    "app": {"errors", "models", "viz", "ui"},
    "scripts": {"errors", "models", "viz"},
    "benchmarks": {"errors", "models", "viz"},
    "examples": {"viz"},
}
"""Room -> the other rooms that it may import."""

FORBIDDEN_OUTSIDE: dict[str, set[str]] = {
    "errors": {"torch", "numpy", "streamlit", "PIL", "cv2", "matplotlib"},
    "models": {"streamlit", "PIL", "cv2", "matplotlib"},
    "viz": {"streamlit"},
}
"""Room -> packages it must not know."""

VIZ_LEVELS: tuple[set[str], ...] = (
    {"types", "geometry", "strict_json"},
    {"media", "preprocess", "capture", "puppet", "actions"},
    {"decoding", "video", "animation", "frame_sets", "example", "example_clip"},
    {"footage"},
    {"affinity", "channel_maps", "gates", "dependence"},
    {"heat"},
    {"overlay"},
    {"strip"},
    {"save"},
    {"motion"},
    {"pipeline"},
    {"recipe"},
    {"sheet", "lettering", "point_files", "svg_fonts", "recipe_json"},
    {"ground_truth", "rasters", "page", "export", "embedded", "scenes"},
    {"page_grid", "pen", "sources", "heat_pictures"},
    {"page_bars", "heat_panels", "matrix_panels", "gate_panels"},
    {"page_layout", "charts", "presets"},
    {"drawing", "composing"},
    {"reel"},
    {"figure", "__init__"},
    {"cli_options", "cli_models", "cli_maps", "cli_figure", "cli"},
    {"__main__"},
)
"""Inside viz, a module imports its own level or those before it, and never in a circle."""


def imported(source: str) -> set[str]:
    """Return the dotted names imported anywhere in a module; ``from a import b`` gives a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room; write the full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_faults(room: str, source: str) -> list[str]:
    """Return the imports of a module in ``room`` that the table does not allow."""
    allowed = ROOMS[room] | {room}
    tops = {name.partition(".")[0] for name in imported(source)}
    forbidden = ((ROOMS.keys() | {"tests"}) - allowed) | FORBIDDEN_OUTSIDE.get(room, set())
    return sorted(tops & forbidden)


def viz_imports(source: str) -> set[str]:
    """Return the viz modules that a source imports; ``import viz`` itself counts as __init__."""
    known = set().union(*VIZ_LEVELS)
    parts = [name.split(".") for name in imported(source)]
    inside = {(p[1:] or ["__init__"])[0] for p in parts if p[0] == "viz"}
    return {name if name in known else "__init__" for name in inside}


def viz_level(module: str) -> int:
    """Return the level of a viz module; a new module has to be given one here."""
    found = [k for k, level in enumerate(VIZ_LEVELS) if module in level]
    assert len(found) == 1, f"give viz/{module}.py a level in VIZ_LEVELS"
    return found[0]


def viz_faults(module: str, source: str) -> list[str]:
    """Return what a viz module imports from a later level."""
    own = viz_level(module)
    return sorted(name for name in viz_imports(source) if viz_level(name) > own)


def circles(graph: dict[str, set[str]]) -> set[str]:
    """Return the modules from which following imports leads back to themselves."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph.get(start, ()))
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(graph.get(name, ()))
        return seen

    return {name for name in graph if name in reachable(name)}


def sources() -> list[tuple[str, Path]]:
    """Return (room, file) of every module that the table speaks of."""
    found = []
    for room in ROOMS:
        single, folder = ROOT / f"{room}.py", ROOT / room
        found += [(room, single)] if single.exists() else []
        found += [(room, path) for path in sorted(folder.rglob("*.py"))] if folder.is_dir() else []
    return found


@pytest.mark.parametrize(
    ("room", "path"), [pytest.param(*s, id=str(s[1].relative_to(ROOT))) for s in sources()]
)
def test_a_module_imports_only_the_rooms_below_it(room, path):
    assert room_faults(room, path.read_text(encoding="utf-8")) == []


def test_every_room_that_must_exist_was_walked():
    rooms = {room for room, _path in sources()}
    assert {"errors", "models", "viz"} <= rooms
    assert len(sources()) > 25


@pytest.mark.parametrize("path", sorted((ROOT / "viz").glob("*.py")), ids=lambda p: p.stem)
def test_a_viz_module_imports_only_its_own_level_or_those_before_it(path):
    assert viz_faults(path.stem, path.read_text(encoding="utf-8")) == []


def test_viz_modules_do_not_import_in_a_circle():
    graph = {
        path.stem: viz_imports(path.read_text(encoding="utf-8")) - {"__init__"}
        for path in (ROOT / "viz").glob("*.py")
    }
    assert circles(graph) == set()


@pytest.mark.parametrize(
    ("room", "source", "fault"),
    [
        ("errors", "import models", "models"),
        ("models", "from viz.geometry import Box", "viz"),
        ("models", "from PIL import Image", "PIL"),
        ("viz", "def f():\n    import streamlit as st", "streamlit"),
        ("viz", "if True:\n    from ui import picker", "ui"),
        ("ui", "import pages.explore", "pages"),
        ("ui", "import app", "app"),
        ("scripts", "from ui.picker import picker", "ui"),
        ("viz", "import scripts.train_bundled", "scripts"),
        ("viz", "from tests.conftest import draw", "tests"),
    ],
)
def test_a_planted_room_violation_is_caught(room, source, fault):
    assert room_faults(room, source) == [fault]


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("geometry", "from viz.media import read", "media"),
        ("media", "from viz import heat", "heat"),
        ("heat", "import viz.overlay", "overlay"),
        ("capture", "from viz import affinity as a", "affinity"),
        ("overlay", "def f():\n    from viz.cli import main", "cli"),
        ("affinity", "import viz", "__init__"),
        ("pipeline", "from viz import cli", "cli"),
    ],
)
def test_a_planted_violation_inside_viz_is_caught(module, source, fault):
    assert viz_faults(module, source) == [fault]


def test_a_planted_circle_is_caught():
    graph = {"types": {"geometry"}, "geometry": {"types"}, "media": {"types"}}
    assert circles(graph) == {"types", "geometry"}


def test_what_is_allowed_is_not_reported():
    assert room_faults("viz", "import torch\nfrom models import pairwise\nimport errors") == []
    assert viz_faults("types", "from viz.geometry import Geometry") == []
    assert viz_faults("overlay", "from viz import heat as heats\nimport viz.types") == []


def test_a_relative_import_is_refused():
    with pytest.raises(AssertionError, match="relative imports"):
        imported("from . import heat")
