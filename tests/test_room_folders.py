"""Folders that a newcomer reads at a glance, and the page that shows them."""

from pathlib import Path

import pytest

from tests.import_order import ORDER, ROOMS, text_of
from tests.paths import ROOT

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
