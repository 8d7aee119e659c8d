"""``python -m viz models`` and ``inspect``, and the answers that checkpoints need."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from errors import InputError
from models import checkpoints
from models.checkpoints import Inspection
from models.describe import Described, described
from models.report import Question, UndecidedError
from models.zoo import cache, catalogue
from models.zoo.catalogue import Entry
from models.zoo.published import NONE_PUBLISHED, NOT_OFFERED, PUBLISHED
from models.zoo.published_row import Published

MAX_ANSWERS_BYTES = 2**16
_REDRAWN_EVERY_S = 0.5


def add_models(_command: argparse.ArgumentParser) -> None:
    """Add the options of ``models``: it has none."""


def add_inspect(command: argparse.ArgumentParser) -> None:
    """Add the options of ``inspect``."""
    command.add_argument("checkpoint", help="path of a weight file, or a name of `models`")
    command.add_argument("--keys", action="store_true", help="list every key")
    add_answers(command)


def add_answers(command: argparse.ArgumentParser) -> None:
    """Add the options that tell what a checkpoint does not."""
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="what the checkpoint does not tell, e.g. kernel=cgnlx; may be repeated",
    )  # fmt: skip
    command.add_argument("--spec", type=Path, help="JSON file of such answers, {name: value}")


def answers(args: argparse.Namespace) -> dict[str, str]:
    """Return the answers of ``--spec``, overruled by those of ``--set``."""
    found = _from_file(args.spec) if args.spec else {}
    for text in args.set:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise InputError(
                f"--set {text[:40]!r} is not an answer; give NAME=VALUE, e.g. kernel=cgnlx."
            )
        found[name.strip()] = value.strip()
    return found


def _from_file(path: Path) -> dict[str, str]:
    wanted = 'give a JSON object of answers like {"kernel": "cgnlx"}'
    try:
        if path.stat().st_size > MAX_ANSWERS_BYTES:
            raise InputError(f"--spec {path} is too large for answers; {wanted}.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not JSON"
        raise InputError(f"--spec {path} could not be read ({reason}); {wanted}.") from problem
    if not isinstance(found, dict) or not all(isinstance(v, str | int) for v in found.values()):
        raise InputError(f"--spec {path} holds something else; {wanted}.")
    return {name: str(value) for name, value in found.items()}


def models(_args: argparse.Namespace) -> list[str]:
    """Return the lines of ``models``: every network, what it costs, whether it is here."""
    rows = {row.id: row for row in PUBLISHED}
    width = max(len(entry.id) for entry in catalogue.entries())
    lines = [f"{'id':{width}}{'parameters':>12}{'GMACs':>9}  what and where from"]
    for entry in catalogue.entries():
        said = _published(rows[entry.id], entry) if entry.id in rows else _said(entry)
        lines.append(f"{entry.id:{width}}{_cost(entry)}  {said}")
    lines += ["", *(f"not supported: {n.title}: {n.reason}" for n in NOT_OFFERED)]
    return [*lines, NONE_PUBLISHED, f"Downloads are kept in {cache.folder()}."]


def _cost(entry: Entry) -> str:
    if entry.spec is None:
        return f"{'-':>12}{'-':>9}"
    known = described(entry.spec)
    return f"{known.parameters / 1e6:>11.1f}M{known.gmacs:>9.2f}"


def _said(entry: Entry) -> str:
    return entry.problem or f"{entry.title}; {entry.source}"


def _published(row: Published, entry: Entry) -> str:
    accuracy = f"{row.dataset} {row.accuracy}"
    return f"{row.title}; {accuracy}; {row.input}; {entry.source}; {row.source.link}"


def inspect(args: argparse.Namespace) -> list[str]:
    """Return the lines of ``inspect``; open questions are listed, with how to answer them."""
    given = answers(args)
    path, known = _located(args.checkpoint)
    try:
        found = checkpoints.inspect(path, {**known, **given})
    except UndecidedError as problem:
        raise OpenQuestionsError(problem) from problem
    return _account(found, described(found.spec), args.keys)


class OpenQuestionsError(InputError):
    """A refusal that lists the open questions on lines of their own, below its one line."""

    def __init__(self, problem: UndecidedError) -> None:
        super().__init__(str(problem))
        self.lines = [_asked(question) for question in problem.questions]


def _asked(question: Question) -> str:
    choices = " | ".join(question.choices) or "VALUE"
    return f"  --set {question.name}={choices}    {question.text}"


def _located(name: str) -> tuple[Path, dict[str, str]]:
    """Return the file of a name or path, and what is known of it; a download if it must be."""
    rows = {row.id: row for row in PUBLISHED}
    if name in rows:
        return catalogue.fetch(rows[name], show_progress(name)), dict(rows[name].answers)
    bundled = catalogue.WEIGHTS / f"{name}.safetensors"
    if name in {entry.id for entry in catalogue.bundled()}:
        return bundled, {}
    return Path(name), {}


def show_progress(name: str) -> catalogue.Progress:
    """Return a progress that writes one moving line to stderr, where somebody can see it."""
    drawn = [0.0]

    def show(so_far: int, total: int | None) -> None:
        done = so_far == total
        if not sys.stderr.isatty() or (time.monotonic() - drawn[0] < _REDRAWN_EVERY_S and not done):
            return
        drawn[0] = time.monotonic()
        whole = f" of {total / 1e6:.1f}" if total else ""
        sys.stderr.write(f"\r{name}: {so_far / 1e6:.1f}{whole} MB" + ("\n" if done else ""))

    return show


def _account(found: Inspection, known: Described, keys: bool) -> list[str]:
    report = found.report
    lines = [f"family        {report.family}", f"container     {report.container}"]
    lines += [f"{fact.name:14}{fact.value}  ({fact.source})" for fact in report.facts]
    lines += ["", *known.tree, ""]
    lines.append(f"parameters    {known.parameters / 1e6:.2f}M, {known.gmacs:.2f} GMACs")
    lines.append(f"keys          {len(report.renamed)} mapped, {len(report.ignored)} ignored")
    if keys:
        lines += ["", *(f"  {key} -> {ours}" for key, ours in report.renamed.items())]
        lines += [f"  {key}: ignored, {why}" for key, why in report.ignored.items()]
    return ["".join(c if c.isprintable() else " " for c in line) for line in lines]


def load_answered(name: str, given: Mapping[str, str]) -> catalogue.LoadedModel:
    """Load a network, showing how a download goes; its open questions are listed."""
    try:
        return catalogue.load(name, answers=given, progress=show_progress(name))
    except UndecidedError as problem:
        raise OpenQuestionsError(problem) from problem
