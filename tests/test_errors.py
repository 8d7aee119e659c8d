"""The exception tree: one base for the guards, one line for the person."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import errors
from tests.paths import ROOT

MORE_THAN_ONE = (
    "boxes are too many", "row labels are too many", "files of", "bytes; recipes", "bytes",
    "pictures; of uploads", "series of pictures", "entries; up to", "units have", "frames here",
    "frames; a second picture", "boxes; give 1 to", "digits", "axes", "names fit no",
)  # fmt: skip
"""What stands behind lengths that are never one there, and the verb of "2 of 3 names fit"."""


def test_every_refusal_has_the_one_base_and_the_tree_is_drawn_in_full():
    classes = [c for _name, c in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) >= 7
    for cls in classes:
        assert issubclass(cls, errors.AttentionVizError)
        assert cls.__name__ in errors.__doc__


def test_a_refusal_of_input_is_not_a_refusal_of_the_machine():
    assert issubclass(errors.OutsideError, errors.InputError)
    assert not issubclass(errors.MachineError, errors.InputError)


@pytest.mark.parametrize(
    "foreign",
    ["two\nlines.", "a\r\nb.", "null \x00 and bell \x07.", "sep\u2028arated.", "\x1b[31mred."],
)
def test_foreign_text_in_a_message_cannot_break_the_line(foreign, one_line):
    one_line(errors.CheckpointError(f"The key {foreign}"))


def test_foreign_text_in_a_message_cannot_flood_the_screen():
    assert len(str(errors.CheckpointError("k" * 100_000))) < 1000


def test_a_long_message_is_cut_between_words():
    words = [f"layer{k}.conv.weight" for k in range(99)]
    kept = str(errors.CheckpointError(" ".join(words))).split()
    assert set(kept) - {"..."} <= set(words)
    assert "..." in kept


def test_an_ordinary_message_is_left_as_it_is():
    text = "bird.jpg is empty (0 bytes); give a PNG file."
    assert str(errors.MediaError(text)) == text


@pytest.mark.parametrize(
    ("count", "word", "said"),
    [
        (1, "panel", "1 panel"), (0, "panel", "0 panels"), (2, "class", "2 classes"),
        (12345, "box", "12,345 boxes"), (2, "patch", "2 patches"), (3, "entry", "3 entries"),
        (2, "key", "2 keys"), (1.5, "hour", "1.5 hours"), (1.0, "hour", "1 hour"),
        (4.0, "hour", "4 hours"),
    ],
)  # fmt: skip
def test_a_count_reads_as_it_is_said(count, word, said):
    assert errors.counted(count, word) == said


def plurals(path: Path) -> Iterator[str]:
    """Give what stands behind each length in a text, where that is a plural, of one thing too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts = node.values if isinstance(node, ast.JoinedStr) else ()
        for value, text in zip(parts, parts[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                found = re.match(r" ((?:more |row )?[a-z]{3,}s\b.*)", text.value)
                if found and ast.unparse(value.value).startswith("len("):
                    yield found[1]


def test_counts_in_words_for_users_are_made_by_the_one_function_for_it():
    paths = [
        path for room in ("models", "viz", "ui", "pages") for path in (ROOT / room).rglob("*.py")
    ]
    told = {f"{path.name}: {text}" for path in paths for text in plurals(path)
            if not text.startswith(MORE_THAN_ONE)}  # fmt: skip
    assert not told, "use errors.counted"
