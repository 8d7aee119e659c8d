"""The command line: ``python -m viz models``, ``inspect``, ``maps``, ``figure`` and ``render``.

Exit codes: 0 done, 2 wrong usage or bad input (one line on stderr), 1 our bug.
"""

import argparse
import sys
from collections.abc import Sequence

from errors import AttentionVizError
from viz.cli import (
    figure as figure_command,
)
from viz.cli import (
    maps as maps_command,
)
from viz.cli import (
    models as models_command,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command and option."""
    top = argparse.ArgumentParser(
        prog="python -m viz", description="See what non-local networks attend to."
    )
    commands = top.add_subparsers(dest="command", required=True)
    models_command.add_models(commands)
    maps_command.add_maps(commands)
    figure_command.add_figure(commands)
    figure_command.add_render(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = parser().parse_args(arguments)
    try:
        lines = _COMMANDS[args.command](args)
    except AttentionVizError as problem:
        print(models_command.explained(problem), file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


_COMMANDS = {
    "models": lambda _args: models_command.models(),
    "inspect": models_command.inspect,
    "maps": maps_command.maps,
    "figure": figure_command.figure,
    "render": figure_command.render,
}
