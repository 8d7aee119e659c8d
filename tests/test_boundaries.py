"""Arrows point one way: which room may import which, read from the source with ast."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "models": {"errors"},
    "viz": {"errors", "models"},
    "ui": {"errors", "models", "viz"},
    "pages": {"errors", "models", "viz", "ui"},
    "app": {"errors", "models", "viz", "ui"},
    "scripts": {"errors", "models", "viz"},
    "benchmarks": {"errors", "models", "viz", "ui"},
    "examples": {"viz"},
}
"""Room -> the other rooms that it may import."""

FORBIDDEN_OUTSIDE: dict[str, set[str]] = {
    "errors": {"torch", "numpy", "streamlit", "PIL", "cv2", "matplotlib"},
    "models": {"streamlit", "PIL", "cv2", "matplotlib"},
    "viz": {"streamlit"},
}
"""Room -> packages it must not know."""

ORDER: dict[str, tuple[str, ...]] = {
    "models": (
        "devices",
        "specs",
        "blocks",
        "multiply_adds",
        "backbones",
        "detection",
        "build",
        "class_names",
        "describe",
        "report",
        "loaded",
        "checkpoints.containers",
        "checkpoints.families",
        "checkpoints.keys",
        "checkpoints.fill",
        "checkpoints",
        "zoo",
    ),
    "viz": (
        "whole_files",
        "geometry",
        "types",
        "media.pixels",
        "media",
        "examples",
        "rendering",
        "attention",
        "figure.recipe",
        "figure.keypoint_files",
        "figure.keypoints",
        "figure.resolve",
        "figure.sources",
        "figure.options",
        "figure.panels",
        "figure.page",
        "figure.draw",
        "figure.files",
        "figure.composition",
        "figure.api",
        "figure",
        "datasets",
        "evaluation",
        "__init__",
        "cli",
        "__main__",
    ),
    "ui": (
        "state",
        "bound",
        "guard",
        "server.turns",
        "server.visitor",
        "isolation",
        "server",
        "frame",
        "session",
        "components",
        "explore",
        "figure",
        "numbers.data",
        "numbers.gates",
        "numbers.evaluate",
        "numbers.cost",
        "numbers.strongest",
        "models",
        "server.command",
    ),
}
"""Room -> its sub-packages and modules; each imports its own and those before it. A module belongs
to the longest name that fits it."""

PARALLEL: dict[str, set[str]] = {
    "ui": {
        "explore",
        "figure",
        "numbers.gates",
        "numbers.evaluate",
        "numbers.cost",
        "numbers.strongest",
        "models",
    }
}
"""Room -> sub-packages that do not import one another: a folder a page."""

MOST_SUBPACKAGES = 8
MOST_ENTRIES = 12
LARGER_FOLDERS: dict[str, str] = {
    "models": "detectors stand beside what they are built of",
    "models/checkpoints/families": "a module for those who published together",
    "tests/viz": "what tests draw and build stands beside the rooms",
    "tests/viz/attention": "a file a module, as in viz",
    "tests": "a folder a room, and what all of them share",
    "models/weights": "a file and a card for every bundled network",
}
"""Folder with more than MOST_ENTRIES entries -> why."""


@cache
def imported(source: str) -> frozenset[str]:
    """Return the dotted names imported anywhere in a module; ``from a import b`` gives a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room; write the full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def room_faults(room: str, source: str) -> list[str]:
    """Return the imports of a module in ``room`` that the table does not allow."""
    allowed = ROOMS[room] | {room}
    tops = {name.partition(".")[0] for name in imported(source)}
    forbidden = ((ROOMS.keys() | {"tests"}) - allowed) | FORBIDDEN_OUTSIDE.get(room, set())
    return sorted(tops & forbidden)


def part_of(name: str) -> str:
    """Return which part of its room a dotted name (viz.figure.page.grid) belongs to."""
    room, _, inside = name.partition(".")
    fitting = [p for p in ORDER[room] if f"{inside}.".startswith(f"{p}.")]
    if inside and not fitting:
        return "__init__"  # a name that the room's own __init__ offers
    return max(fitting, key=len) if inside else "__init__"


def order_faults(module: str, source: str) -> list[str]:
    """Return the parts that a module (dotted name) imports though they come after its own."""
    room = module.partition(".")[0]
    order = ORDER[room]
    own = part_of(module)
    assert own in order or own == "__init__", f"give {module} a place in ORDER"
    inside = {name for name in imported(source) if name.partition(".")[0] == room}
    found = {part_of(name) for name in inside} - {own}
    rank = {name: k for k, name in enumerate(order)} | {"__init__": len(order)}
    if "__init__" in order:
        rank["__init__"] = order.index("__init__")
    apart = PARALLEL.get(room, set())
    return sorted(p for p in found if rank[p] > rank[own] or {p, own} <= apart)


def module_name(path: Path) -> str:
    """Return the dotted name of a module of the repository."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 2:
        parts = parts[:-1]
    return ".".join(parts)


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


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def packages_with_modules() -> list[Path]:
    """Return every folder below a room that holds code or tests."""
    rooms = [ROOT / room for room in (*ROOMS, "tests") if (ROOT / room).is_dir()]
    folders = [folder for room in rooms for folder in (room, *room.rglob("*")) if folder.is_dir()]
    return [
        folder
        for folder in folders
        if "__pycache__" not in folder.parts and folder.is_relative_to(ROOT)
    ]


def entries(folder: Path) -> list[str]:
    """Return what a newcomer sees in a folder: files and folders, without __init__ and caches."""
    names = {path.name for path in folder.iterdir()}
    return sorted(names - {"__init__.py", "__pycache__"})


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


@pytest.mark.parametrize("room", ORDER)
def test_a_room_has_few_sub_packages(room):
    folders = [p for p in (ROOT / room).iterdir() if (p / "__init__.py").exists()]
    assert 0 < len(folders) <= MOST_SUBPACKAGES


def test_folders_are_small_enough_to_read_at_a_glance():
    large = {
        str(folder.relative_to(ROOT)): entries(folder)
        for folder in packages_with_modules()
        if len(entries(folder)) > MOST_ENTRIES
    }
    assert large.keys() == LARGER_FOLDERS.keys(), large


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, "pytest imports files without a package by their name alone"


def drawn_tree(text: str) -> set[str]:
    """Return the folders that the tree in ARCHITECTURE.md shows."""
    block = text.split("```")[1]
    folders, path = set(), []
    for line in block.strip().splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        path = [*path[:depth], name.rstrip("/")]
        folders.add("/".join(path))
    return folders


def test_the_architecture_page_shows_every_folder():
    rooms = ("models", "viz", "ui", "scripts")
    there = {
        str(f.relative_to(ROOT)) for room in rooms for f in (ROOT / room).rglob("*") if f.is_dir()
    }
    there = {name for name in there if "__pycache__" not in name} | set(rooms)
    assert drawn_tree(text_of(ROOT / "ARCHITECTURE.md")) == there


def test_the_architecture_page_shows_the_order_of_imports():
    page = text_of(ROOT / "ARCHITECTURE.md")
    for room, order in ORDER.items():
        assert f"\n{room}: {' <- '.join(order)}\n" in page, room


def test_a_folder_that_the_page_does_not_show_is_found():
    text = "```\nmodels/\n  specs/  what\n    deep/  more\nviz/  maps\n```"
    assert drawn_tree(text) == {"models", "models/specs", "models/specs/deep", "viz"}


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
