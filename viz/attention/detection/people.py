"""Actions of people: the boxes that are given, and what a network of AVA says of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor

from errors import InputError
from models.backbones.resnet import AttentionResNet
from viz.attention.captures import Capture
from viz.attention.detection import objects
from viz.attention.hooks import listening
from viz.attention.predictions import many_at_once
from viz.geometry import Box

PERSON = "person"
MOST_PEOPLE = 300
MOST_BYTES = 2**16
"""Size of a file of boxes that is read."""


@dataclass(frozen=True, eq=False)
class Person:
    """A person by number, from 0; the box in original pixels; ``scores`` (actions,) float32 in
    [0, 1], each action a yes or no of its own, by the network's numbers."""

    number: int
    box: Box
    scores: Tensor

    def best(self, count: int = 5) -> list[tuple[int, float]]:
        """Return the ``count`` actions of the highest scores, each with its score."""
        scores, actions = self.scores.topk(min(count, len(self.scores)))
        return list(zip(actions.tolist(), scores.tolist(), strict=True))


def actions(capture: Capture, boxes: Sequence[Box] = ()) -> tuple[Person, ...]:
    """Return what people in ``boxes`` of the original picture do; without boxes one person, who
    fills the whole of what the network saw.

    The trunk is not run again before the last block. InputError where the network does not tell
    actions of people, or a box has no part in what it saw.
    """
    if not many_at_once(capture):
        model = "This network" if capture.model is None else capture.model.id
        raise InputError(
            f"{model} tells no actions of people in boxes; choose mmaction2's AVA SlowOnly, or "
            "leave the boxes out."
        )
    wanted = tuple(boxes) or (capture.geometry.seen,)
    if len(wanted) > MOST_PEOPLE:
        raise InputError(f"{len(wanted)} boxes are too many; give up to {MOST_PEOPLE}.")
    features = capture.memory.once(("people",), lambda: _features(capture))
    inside = torch.tensor([_input_box(capture, box) for box in wanted])
    rows = torch.cat([inside.new_zeros(len(inside), 1), inside], 1).to(features)
    with listening(capture.model, ()), torch.no_grad():
        scores = capture.model.network.people(features, rows).sigmoid().float().cpu()
    return tuple(
        Person(number, box, own)
        for number, (box, own) in enumerate(zip(wanted, scores, strict=True))
    )


def _features(capture: Capture) -> Tensor:
    """Run the units behind the last block once more: what leaves res5, (1, C, T, H, W)."""
    network: AttentionResNet = capture.model.network
    with listening(capture.model, ()), torch.no_grad():
        if not network.places:
            return capture.blocks[network.last_place.label].block_input
        place = network.places[-1]
        left = network.block_at(place)(capture.blocks[place.label].block_input)
        return network.resume_features(place, left)


def _input_box(capture: Capture, box: Box) -> tuple[float, float, float, float]:
    """Return a box in pixels of the input, cut to it."""
    geometry = capture.geometry
    left, top = geometry.to_input(box.left, box.top)
    right, bottom = geometry.to_input(box.right, box.bottom)
    left, right = max(0.0, left), min(float(geometry.input_width), right)
    top, bottom = max(0.0, top), min(float(geometry.input_height), bottom)
    if not (left < right and top < bottom):
        raise InputError(
            f"Box {words(box)} has no part in what the network sees of the "
            f"{geometry.width} x {geometry.height} picture; give x1,y1,x2,y2 inside of it."
        )
    return left, top, right, bottom


def words(box: Box) -> str:
    """Return a box in words: 11,0 to 640,271."""
    return f"{box.left:.0f},{box.top:.0f} to {box.right:.0f},{box.bottom:.0f}"


def found_people(
    capture: Capture, frame: int = 0, score: float = objects.SHOWN_SCORE
) -> tuple[Box, ...]:
    """Return the boxes of the people that a detector found in a frame, best first."""
    return tuple(one.box for one in objects.found(capture, frame, score, PERSON))


def read_boxes(content: bytes, name: str) -> tuple[Box, ...]:
    """Return the boxes of a text file, a line x1,y1,x2,y2 in pixels each; # begins a comment.

    InputError that names the line for anything else, and for more than MOST_PEOPLE.
    """
    if len(content) > MOST_BYTES:
        raise InputError(f"{name} is too large for a list of boxes; give a line x1,y1,x2,y2 each.")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise InputError(
            f"{name} is not UTF-8 text; give a text file with a line x1,y1,x2,y2 for each person."
        ) from problem
    told = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
    boxes = tuple(_box(text, f"{name}, line {number}") for number, text in told if text)
    if not 0 < len(boxes) <= MOST_PEOPLE:
        raise InputError(f"{name} holds {len(boxes)} boxes; give 1 to {MOST_PEOPLE}, a line each.")
    return boxes


def _box(text: str, where: str) -> Box:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(map(isfinite, numbers)):
        raise InputError(f"{where}: {text[:40]!r} is no box; give x1,y1,x2,y2 in pixels.")
    box = Box(*numbers)
    if not (box.left < box.right and box.top < box.bottom):
        raise InputError(f"{where}: {text[:40]!r} is empty; give x1 < x2 and y1 < y2.")
    return box
