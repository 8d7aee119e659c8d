"""The exception tree: one base for the guards, one line for the person."""

import inspect

import pytest

import errors


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
