"""The command line: ``python -m viz models``, ``inspect``, ``maps``, ``figure`` and ``render``.

Exit codes: 0 done, 2 wrong usage or bad input (one line on stderr), 1 our bug.
"""

import argparse
import sys
from collections.abc import Sequence

from errors import AttentionVizError
from viz import cli_figure, cli_maps, cli_models


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command and option."""
    top = argparse.ArgumentParser(
        prog="python -m viz", description="See what non-local networks attend to."
    )
    commands = top.add_subparsers(dest="command", required=True)
    cli_models.add_models(commands)
    cli_maps.add_maps(commands)
    cli_figure.add_figure(commands)
    cli_figure.add_render(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = parser().parse_args(arguments)
    try:
        lines = _COMMANDS[args.command](args)
    except AttentionVizError as problem:
        print(cli_models.explained(problem), file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


_COMMANDS = {
    "models": lambda _args: cli_models.models(),
    "inspect": cli_models.inspect,
    "maps": cli_maps.maps,
    "figure": cli_figure.figure,
    "render": cli_figure.render,
}
