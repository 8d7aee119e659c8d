"""``python -m viz cost``: parameters and multiply-adds, and the papers' tables."""

import argparse
from pathlib import Path

from errors import InputError
from models.specs.network import MAX_FRAMES
from viz.attention.pipeline import effective
from viz.cli import models as models_command
from viz.evaluation.costs import counting, growth
from viz.evaluation.costs.papers import short
from viz.figure.files import export


def add_cost(command: argparse.ArgumentParser) -> None:
    """Add the options of ``cost``."""
    add = command.add_argument
    add("--model", action="append", default=[],
        help="name or checkpoint, may be repeated; the papers' tables when left out")  # fmt: skip
    models_command.add_answers(command)
    add("--size", type=int, help="input side in pixels; the network's own if left out")
    add("--frames", type=int, help="frames of the input; the network's own if left out")
    add("--growth", type=Path, metavar="FILE", help="plot of blocks against positions, as PDF")


def cost(args: argparse.Namespace) -> list[str]:
    """Return what networks cost, or the papers' tables beside ours."""
    lines = _of_networks(args) if args.model else [*counting.report(), "", *growth.lines()]
    if args.growth:
        if args.growth.suffix.lower() != ".pdf":
            raise InputError(f"--growth {args.growth} has no known ending; give a .pdf.")
        export.save(export.write(growth.drawn(), "pdf", 300, None), args.growth)
        lines.append(f"wrote {args.growth}")
    return lines


def _of_networks(args: argparse.Namespace) -> list[str]:
    if args.frames is not None and not 1 <= args.frames <= MAX_FRAMES:
        raise InputError(f"--frames {args.frames} is out of range; give 1 to {MAX_FRAMES}.")
    answers, lines = models_command.answers(args), []
    for name in args.model:
        spec = models_command.load_answered(name, answers).spec
        _mode, size = effective(spec, "fit", args.size)
        frames = args.frames or spec.preprocessing.frames
        whole = counting.network_cost(spec, frames, size)
        lines.append(
            f"{name}: {frames} x {size} x {size}: {short(whole.parameters)} parameters, "
            f"{short(whole.multiply_adds)} multiply-adds"
        )
        for label, part in counting.block_costs(spec, frames, size).items():
            share = part.multiply_adds / whole.multiply_adds
            lines.append(
                f"  {label}: {short(part.parameters)} parameters, {short(part.multiply_adds)} "
                f"multiply-adds ({100 * share:.1f} %)"
            )
    return lines
