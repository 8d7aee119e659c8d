"""The command line: ``python -m viz models``, ``inspect``, ``maps``, ``figure`` and ``render``.

Exit codes: 0 done, 2 wrong usage or bad input (one line on stderr), 1 our bug.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from errors import AttentionVizError


class Command(NamedTuple):
    """A command: the module that has ``add_NAME(parser)`` and ``NAME(args)``, and what it does."""

    module: str
    help: str

    def function(self, name: str) -> Callable[..., Any]:
        """Import the command's module, and return one of its functions."""
        return getattr(importlib.import_module(self.module), name)


COMMANDS: dict[str, Command] = {
    "models": Command("viz.cli.models", "what can be loaded, where from, parameters, GMACs"),
    "inspect": Command("viz.cli.models", "what a checkpoint is, every key verified"),
    "maps": Command(
        "viz.cli.maps", "PNG overlays, float32 maps, movies and a recipe of one reference"
    ),
    "figure": Command("viz.cli.figure", "a figure for a paper: PDF, SVG, PNG or a movie"),
    "render": Command("viz.cli.figure", "the same figure again, from its recipe"),
}


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of every command and option.

    With ``wanted`` only that command's options are filled in: what draws takes long to import.
    """
    top = argparse.ArgumentParser(
        prog="python -m viz", description="See what non-local networks attend to."
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        made = commands.add_parser(name, help=command.help)
        if wanted not in COMMANDS or wanted == name:
            command.function(f"add_{name}")(made)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    args = parser(given[0] if given else None).parse_args(given)
    try:
        lines = COMMANDS[args.command].function(args.command)(args)
    except AttentionVizError as problem:
        # Below the one line stands what can be answered, if something can.
        print("\n".join([str(problem), *getattr(problem, "lines", [])]), file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0
