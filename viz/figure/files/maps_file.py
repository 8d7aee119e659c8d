"""The float32 maps of shots as one .npz file."""

import io
from collections.abc import Sequence

import numpy as np

from viz.figure.resolve import Scene, Shot
from viz.types import Clip


def npz(
    shots: Sequence[Shot],
    frame: int = 0,
    clip: Clip | None = None,
    full: bool = False,
    second: Scene | None = None,
) -> bytes:
    """Pack the float32 maps: ``values`` (K, T, h, w) and ``labels`` (K,) with their reference.

    Of several networks every array ends in ``_`` and the network's name ("values_e2-nl"). ``frame``
    is the reference's; ``clip`` adds its name, ``picture``, the ``sha256`` of its file, and of
    several frames the ``timestamps`` in s and ``numbers`` in the footage, (T,) each; ``full`` adds
    every group or head behind the maps of the view; of a ``second`` picture there are the same
    arrays with "_second" behind their names. Opens with ``numpy.load(file, allow_pickle=False)``.
    """
    arrays: dict[str, np.ndarray] = {}
    if clip is not None:
        arrays = {"picture": np.array(clip.name), "sha256": np.array(clip.sha256)}
        if len(clip.frames) > 1:
            arrays |= {"timestamps": np.array(clip.timestamps), "numbers": np.array(_numbers(clip))}
    for end, shot in zip(_ends(shots), shots, strict=True):
        arrays |= {f"{name}{end}": array for name, array in _arrays(shot, frame, full).items()}
    if second is not None:
        arrays |= {
            "picture_second": np.array(second.clip.name),
            "sha256_second": np.array(second.clip.sha256),
        }
        for end, shot in zip(_ends(shots), second.shots, strict=True):
            made = _arrays(shot, frame, full)
            arrays |= {f"{name}_second{end}": made[name] for name in ("values", "labels")}
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def _ends(shots: Sequence[Shot]) -> list[str]:
    """Return what the arrays of each shot end in: nothing for one, else the network's name; with
    the block and a number where a network is there twice."""
    if len(shots) == 1:
        return [""]
    names = [shot.model.id for shot in shots]
    if len(set(names)) < len(names):
        names = [f"{shot.model.id}_{shot.block.label}_{k}" for k, shot in enumerate(shots, 1)]
    return [f"_{name}" for name in names]


def _arrays(shot: Shot, frame: int, full: bool) -> dict[str, np.ndarray]:
    cell, grid = shot.cell, shot.block.query_grid
    maps = {one.label: one for one in (*shot.maps, *(shot.divisions if full else ()))}.values()
    return {
        "values": np.stack([one.values for one in maps]).astype(np.float32),
        "labels": np.array([one.label for one in maps]),
        "meaning": np.array([one.meaning for one in maps]),
        "cell": np.array([cell.t, cell.y, cell.x]),
        "frame": np.array(frame),
        "pixel": np.array(shot.geometry.cell_centre(cell.y, cell.x, grid)),
        "grid": np.array(grid),
        "block": np.array(shot.block.label),
        "model": np.array([shot.model.id, shot.model.sha256]),
    }


def _numbers(clip: Clip) -> tuple[int, ...]:
    return clip.numbers or tuple(range(len(clip.frames)))
