"""Which room may import which, and the parts inside a room: read from the source with ast."""

import ast
from functools import cache
from pathlib import Path

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
