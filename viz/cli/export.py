"""``python -m viz export``: maps, features and overlays of a whole data set."""

import argparse
from pathlib import Path

from errors import InputError, counted
from viz.cli import models as models_command
from viz.cli.evaluate import add_dataset, dataset_of, problems_of, runner_of, show_pictures
from viz.datasets.export import WHAT, Asked, to_zarr
from viz.datasets.export import export as run


def add_export(command: argparse.ArgumentParser) -> None:
    """Add the options of ``export``."""
    add_dataset(command)
    add = command.add_argument
    add("--what", default="maps", help=f"with commas between: {', '.join(WHAT)}")
    add("--dtype", choices=("float16", "float32"), default="float16", help="of maps and features")
    add("--count", type=int, default=5, help="maps of a reference that has several")
    add("--zarr", type=Path, metavar="FOLDER", help="a Zarr group of the same arrays, too")


def export(args: argparse.Namespace) -> list[str]:
    """Export what was asked for; return what was written."""
    if len(args.model) > 1:
        raise InputError("--model is given more than once; export one network to a folder.")
    if args.count < 1:
        raise InputError(f"--count {args.count} is out of range; give 1 or more.")
    what = tuple(dict.fromkeys(part.strip() for part in args.what.split(",")))
    asked = Asked(what, args.dtype, args.block, args.mode, args.size, args.count)
    dataset, answers, runner = dataset_of(args), models_command.answers(args), runner_of(args)
    model = models_command.load_answered(args.model[0], answers)
    found = run(dataset, model, args.out, asked, show_pictures("export"), runner)
    lines = [*problems_of(dataset, found)]
    done = found.pictures - len(found.problems)
    parts = counted(len(found.parts), "part")
    lines.append(f"wrote {args.out}: {counted(done, 'picture')} in {parts}, manifest.json")
    if args.zarr:
        to_zarr(found, args.zarr)
        lines.append(f"wrote {args.zarr}")
    return lines
