"""``--boxes`` of ``maps``: whose actions a network of AVA is asked for."""

import argparse
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from errors import InputError
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.attention.detection import people
from viz.attention.detection.people import Person
from viz.attention.predictions import many_at_once
from viz.geometry import Box
from viz.types import Clip

NOT_GIVEN = (
    "people: no boxes were given, and the whole picture counts as one person; --boxes takes a file "
    "of boxes, or a detector that finds people"
)


def add_boxes(command: argparse.ArgumentParser) -> None:
    """Add the option that says where people are."""
    command.add_argument(
        "--boxes", metavar="FILE",
        help="of a network of people's actions (AVA): a text file with a line x1,y1,x2,y2 in "
        "pixels for each person, or the name of a detector, which finds them in the middle frame",
    )  # fmt: skip


def asked(given: str | None, capture: Capture, clip: Clip) -> tuple[Person, ...]:
    """Return what the people of a clip do: those in the boxes of --boxes, or the whole picture as
    one; none of a network that tells no actions.

    InputError for boxes that such a network is given, and for what is no list of boxes.
    """
    if given is None and not many_at_once(capture):
        return ()
    return people.actions(capture, () if given is None else boxes(given, clip))


def boxes(given: str, clip: Clip) -> tuple[Box, ...]:
    """Return the boxes of a file, or those that the detector called so finds in the middle frame;
    InputError where it finds nobody."""
    path = Path(given)
    if path.is_file():
        with path.open("rb") as file:
            return people.read_boxes(file.read(people.MOST_BYTES + 1), path.name)
    if path.suffix.lower() in (".txt", ".csv"):
        raise InputError(f"{given} is not there; give a file of boxes, or the name of a detector.")
    middle = len(clip.frames) // 2
    numbers = clip.numbers[middle : middle + 1]
    still = replace(
        clip,
        frames=clip.frames[middle : middle + 1],
        timestamps=clip.timestamps[middle : middle + 1],
        numbers=numbers,
    )
    found = people.found_people(pipeline.capture(pipeline.load(given), still))
    if not found:
        raise InputError(
            f"{given} finds no people in frame {middle} of {clip.name}; give a file of boxes, or "
            "leave --boxes out: the whole picture then counts as one person."
        )
    return found


def told(given: str | None, capture: Capture, found: Sequence[Person]) -> list[str]:
    """Return a line for each person with the best actions; before them what was assumed."""
    name = capture.model.class_name
    lines = [NOT_GIVEN] if found and given is None else []
    for one in found:
        best = ", ".join(f"{name(action)} {score:.2f}" for action, score in one.best())
        lines.append(f"person {one.number}, {people.words(one.box)}: {best}")
    return lines


def table(capture: Capture, found: Sequence[Person]) -> bytes:
    """Return the scores of all actions of all people as CSV, a row each."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["person", "x1", "y1", "x2", "y2", "action", "name", "score"])
    for one in found:
        box = (one.box.left, one.box.top, one.box.right, one.box.bottom)
        for action, score in enumerate(one.scores.tolist()):
            named = capture.model.class_name(action)
            rows.writerow([one.number, *(f"{x:g}" for x in box), action, named, f"{score:.6g}"])
    return text.getvalue().encode()
