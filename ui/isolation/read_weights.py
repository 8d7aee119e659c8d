"""Checkpoints, as a child reads them: values one after another into one block."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.checkpoints.containers import contents
from models.checkpoints.containers.tensors import Values
from models.report import UndecidedError
from ui.isolation import channel

ALIGNED = 64
"""Values begin at multiples of so many bytes."""


def weights(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Tell what a checkpoint is, and where in the block each tensor lies; or what is left open."""
    places: list[tuple[str, str, tuple[int, ...], int]] = []
    # The file itself came, so that nothing of it is copied.
    path = Path(f"/dev/fd/{blocks[0]}")
    try:
        with contents.opened(path, request["names"][0], request["weights"]) as found:
            whole = os.fstat(blocks[0]).st_size
            made = channel.joined(_laid(found.values, places, whole))
    except UndecidedError as asked:
        return {"questions": [[one.name, one.text, one.choices] for one in asked.questions]}, []
    fact = found.weights and [found.weights.value, found.weights.choices]
    told = {
        "places": places, "container": found.container, "metadata": found.metadata,
        "ignored": found.ignored, "sha256": found.sha256, "weights": fact,
    }  # fmt: skip
    return told, [made]


def _laid(
    values: Iterator[tuple[str, Values]],
    places: list[tuple[str, str, tuple[int, ...], int]],
    whole: int,
) -> Iterator[bytes | np.ndarray]:
    """Yield the bytes of tensors with what is between them, and note where each begins; the file
    has ``whole`` bytes, of which it is told how many are done."""
    place = 0
    for key, (dtype, array) in values:
        places.append((key, dtype, array.shape, place))
        yield array.reshape(-1).view(np.uint8)
        rest = -array.nbytes % ALIGNED
        yield bytes(rest)
        place += array.nbytes + rest
        channel.TELLER.reached(place, whole)
