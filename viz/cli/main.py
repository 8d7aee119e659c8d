"""The command line: ``python -m viz COMMAND``; COMMANDS lists them.

Exit codes: 0 done, 2 wrong usage, bad input or a machine that refuses (one line on stderr), 1 our
bug, 130 interrupted. A reader that closes its end of a pipe early (``| head``) is done, too.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn, TextIO

from errors import LONGEST, AttentionVizError, MachineError, short_numbers

INTERRUPTED = 130


class Command(NamedTuple):
    """A command: the module that has ``add_NAME(parser)`` and ``NAME(args)``, what it does, and
    whether it runs networks, so that it takes ``--device``."""

    module: str
    help: str
    computes: bool = False

    def function(self, name: str) -> Callable[..., Any]:
        """Import the command's module, and return one of its functions."""
        return getattr(importlib.import_module(self.module), name)


COMMANDS: dict[str, Command] = {
    "models": Command("viz.cli.models", "what can be loaded, where from, parameters, GMACs"),
    "inspect": Command("viz.cli.models", "what a checkpoint is, every key verified"),
    "maps": Command(
        "viz.cli.maps", "PNG overlays, float32 maps, movies and a recipe of one reference", True
    ),
    "figure": Command("viz.cli.figure", "a figure for a paper: PDF, SVG, PNG or a movie", True),
    "render": Command("viz.cli.figure", "the same figure again, from its recipe", True),
    "evaluate": Command(
        "viz.cli.evaluate", "measures of maps over a data set, with intervals", True
    ),
    "export": Command("viz.cli.export", "maps, features, overlays of a data set, in batches", True),
    "strongest": Command(
        "viz.cli.strongest", "the patches that channels or heads answer to most", True
    ),
    "cost": Command("viz.cli.cost", "parameters and multiply-adds, beside the papers' tables"),
    # The one command of the interface: named, so that nothing here imports it unless asked.
    "serve": Command("ui.server.command", "the app as a server that several people share"),
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with an option without repeating thousands of digits."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and one line, and exit with code 2."""
        super().error(short_numbers(message)[:LONGEST])


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of every command and option.

    With ``wanted`` only the options of the command of that name are filled in, if there is one:
    what draws takes long to import.
    """
    top = _Parser(prog="python -m viz", description="See what non-local networks attend to.")
    commands = top.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        made = commands.add_parser(name, help=command.help)
        if wanted in (None, name):
            command.function(f"add_{name}")(made)
            if command.computes:
                add_device(made)
    return top


def add_device(command: argparse.ArgumentParser) -> None:
    """Add the option that says where networks run."""
    command.add_argument(
        "--device", default="auto", help="where networks and maps are computed: auto (a GPU where "
        "there is one), cpu, cuda, cuda:1, mps",
    )  # fmt: skip


def _nothing() -> None:
    """Do nothing."""


def main(arguments: Sequence[str] | None = None, ready: Callable[[], None] = _nothing) -> int:
    """Run one command; return its exit code. ``ready`` is called once all is imported, before the
    command begins to work."""
    for stream in (sys.stdout, sys.stderr):
        _spell_out(stream)
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments), ready)
    except KeyboardInterrupt:
        _say(["Interrupted; no file is half written."], sys.stderr)
        return INTERRUPTED
    except AttentionVizError as problem:
        # Below the one line stands what can be answered, if something can.
        _say([str(problem), *getattr(problem, "lines", [])], sys.stderr)
        return 2


def _run(given: list[str], ready: Callable[[], None]) -> int:
    try:
        args = parser(given[0] if given else "").parse_args(given)
    except SystemExit:
        _print([], end="")  # help, to a reader that may have gone away
        raise
    # With --ray the device is one of the workers' machines.
    if COMMANDS[args.command].computes and not getattr(args, "ray", None):
        from models import devices  # noqa: PLC0415 (torch takes a second to import)

        devices.use(args.device)
    command = COMMANDS[args.command].function(args.command)
    ready()
    _print(command(args))
    return 0


def _print(lines: Iterable[str], end: str = "\n") -> None:
    """Print to the output; MachineError where it takes nothing more."""
    try:
        _say(lines, sys.stdout, end)
    except OSError as problem:
        _drop(sys.stdout)
        raise MachineError(
            f"The output could not be written ({problem.strerror}); files that were asked for are "
            "there. Send the output elsewhere."
        ) from problem


def _say(lines: Iterable[str], stream: TextIO, end: str = "\n") -> None:
    """Print lines at once; a reader that went away is left alone."""
    try:
        print("\n".join(lines), end=end, file=stream, flush=True)
    except BrokenPipeError:
        _drop(stream)
    except OSError:
        if stream is not sys.stderr:
            raise
        _drop(stream)  # there is nowhere left to say so


def _spell_out(stream: TextIO) -> None:
    """Let letters that a stream's encoding lacks be spelled out (\\xe9), rather than stop it."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _drop(stream: TextIO) -> None:
    """Send what a stream still holds nowhere, so that Python does not try again at its end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:
        pass
