"""What attends in a network of another library, in lines."""

from collections.abc import Iterable
from itertools import groupby

from errors import counted
from models.loaded import LoadedModel
from models.specs.wrapped import AttendingLayer


def account(model: LoadedModel) -> list[str]:
    """Return what a network is, its input, and a line for each run of layers that are alike."""
    spec = model.spec
    prep = spec.preprocessing
    clip = f"{counted(prep.frames, 'frame')}, " if prep.frames > 1 else ""
    classes = counted(spec.num_classes, "class") if spec.num_classes else "no classes"
    shape = "exactly" if prep.fixed else "usually"
    lines = [
        f"{spec.architecture} of {spec.source}; {clip}{shape} {prep.size} px; {classes}",
        f"{spec.parameters / 1e6:.2f}M parameters; weights sha256 {model.sha256[:12]}",
    ]
    lines += [f"├─ {line}" for line in layer_lines(spec.layers)]
    lines += [f"left out: {label}: {why}" for label, why in spec.left_out]
    return lines


def layer_lines(layers: Iterable[AttendingLayer]) -> list[str]:
    """Return a line for each run of layers that are alike: names, layers x heads, grids, prefix."""
    lines = []
    for facts, same in groupby(layers, key=lambda layer: layer[1:]):
        run = list(same)
        heads, queries, keys, prefix = facts
        names = run[0].label if len(run) == 1 else f"{run[0].label} to {run[-1].label}"
        words = [f"{len(run)} x {counted(heads, 'head')}", _grid(queries)]
        words += [f"keys {_grid(keys)}"] if keys != queries else []
        words += [f"{counted(prefix, 'token')} without a place"] if prefix else []
        lines.append(f"{names}: {', '.join(words)}")
    return lines


def summary(layers: Iterable[AttendingLayer]) -> dict[str, str]:
    """Return what attends in few words: layers x heads, from the first to the last, the grids of
    their queries, and how many tokens have no place."""
    layers = list(layers)
    runs = [(heads, len(list(run))) for heads, run in groupby(layer.heads for layer in layers)]
    grids = dict.fromkeys(_grid(layer.query_grid) for layer in layers)
    ends = list(grids) if len(grids) < 3 else [next(iter(grids)), list(grids)[-1]]
    prefixes = sorted({layer.prefix for layer in layers})
    return {
        "layers x heads": ", ".join(f"{count} x {heads}" for heads, count in runs),
        "grid": " to ".join(ends),
        "tokens without a place": " or ".join(map(str, prefixes)),
    }


def _grid(cells: tuple[int, int, int]) -> str:
    return " x ".join(map(str, cells if cells[0] > 1 else cells[1:]))
