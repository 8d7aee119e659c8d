"""``python -m viz strongest``: what a channel, group or head answers to most, over a data set."""

import argparse
from pathlib import Path

from errors import InputError
from viz.attention.choice import numbers
from viz.cli import models as models_command
from viz.cli.evaluate import add_dataset, dataset_of, problems_of, runner_of, show_pictures
from viz.evaluation import strongest as search
from viz.evaluation.strongest import MOST, Sought
from viz.figure.files import export as figure_files
from viz.figure.recipe import recipe_json


def add_strongest(command: argparse.ArgumentParser) -> None:
    """Add the options of ``strongest``."""
    add_dataset(command)
    add = command.add_argument
    add("--part", default="", help="channel, group, head or row; what the block has, if left out")
    add("--maps", "--channels", default="0", help="which of them are drawn, like 17 or 0,3-5")
    add("--number", dest="maps", default=argparse.SUPPRESS, help=argparse.SUPPRESS)  # its old name
    add("--count", type=int, default=Sought().count, help=f"pictures of each, 1 to {MOST}")
    add("--format", default="png", choices=("png", "pdf", "svg"), help="of the figures")


def strongest(args: argparse.Namespace) -> list[str]:
    """Search, and draw what was asked for; return what was written."""
    if len(args.model) > 1:
        raise InputError("--model is given more than once; search one network at a time.")
    if not isinstance(args.out, Path):
        raise InputError(f"--out {args.out[:60]} is a URL; strongest writes to a folder.")
    wanted = numbers(args.maps)
    if wanted is None:
        raise InputError(f"--maps {args.maps[:40]!r} are no numbers; give 17, or 0,3-5.")
    sought = Sought(args.part, args.count, args.block, args.mode, args.size)
    dataset, answers, runner = dataset_of(args), models_command.answers(args), runner_of(args)
    model = models_command.load_answered(args.model[0], answers)
    found = search.strongest(
        dataset, model, args.out, sought, show_pictures("strongest"), runner=runner
    )
    lines = problems_of(dataset, found.finished)
    for number in wanted:
        lines += [f"{found.part} {number}", *search.lines(found, number)]
        figure = search.figure(found, number, dataset, {args.model[0]: model}, sought)
        path = args.out / f"{found.part}-{number}.{args.format}"
        figure.save(path)
        recipe = path.with_suffix(".json")
        figure_files.save(recipe_json.dumps(figure.recipe).encode(), recipe)
        lines += [f"wrote {path}", f"wrote {recipe}"]
    return [*lines, f"wrote {args.out / 'strongest.csv'}"]
