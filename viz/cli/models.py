"""``python -m viz models`` and ``inspect``, and the answers that checkpoints need."""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from errors import InputError
from models import checkpoints
from models.checkpoints import Inspection
from models.checkpoints.families import data_sets
from models.checkpoints.keys.left_out import IGNORE
from models.class_names import MAX_BYTES as MAX_CLASSES_BYTES
from models.class_names import check_count, read_names
from models.describe import Described, described
from models.loaded import LoadedModel
from models.report import Fact, Question, Report, UndecidedError, unused
from models.zoo import cache, catalogue
from models.zoo.catalogue import Entry
from models.zoo.published import NONE_PUBLISHED, NOT_OFFERED, PUBLISHED, told_of
from models.zoo.published_row import Published
from models.zoo.wrapped.libraries import registry
from models.zoo.wrapped.libraries.names import is_library_name
from models.zoo.wrapped.words import account
from viz.media.pictures import check_regular

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
    command.add_argument(
        "--ignore", action="append", default=[], metavar="PATTERN",
        help="keys to leave out, e.g. 'adapter.*'; may be repeated",
    )  # fmt: skip
    command.add_argument("--spec", type=Path, help="JSON file of such answers, {name: value}")
    command.add_argument(
        "--classes", metavar="NAMES",
        help=f"whose classes it tells apart: {', '.join(data_sets.ALIASES)}, "
        f"{data_sets.NOBODYS}, or a file with one name a line",
    )  # fmt: skip


def answers(args: argparse.Namespace) -> dict[str, str]:
    """Return the answers of ``--spec``, overruled by those of ``--set`` and ``--classes``."""
    found = _from_file(args.spec) if args.spec else {}
    if args.classes in data_sets.CHOICES:
        found[data_sets.NAMES_OF_CLASSES] = args.classes
    if args.ignore:
        found[IGNORE] = ",".join(args.ignore)
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
        check_regular(path)
        if path.stat().st_size > MAX_ANSWERS_BYTES:
            raise InputError(f"--spec {path} is too large for answers; {wanted}.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not JSON"
        raise InputError(f"--spec {path} could not be read ({reason}); {wanted}.") from problem
    if not isinstance(found, dict) or not all(isinstance(v, str | int) for v in found.values()):
        raise InputError(f"--spec {path} holds something else; {wanted}.")
    return {name: str(value) for name, value in found.items()}


def listed_classes(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the names in the file of ``--classes``; empty where it is no file."""
    if args.classes is None or args.classes in data_sets.CHOICES:
        return ()
    path = Path(args.classes)
    try:
        check_regular(path)
        with path.open("rb") as file:
            return read_names(file.read(MAX_CLASSES_BYTES + 1), str(path))
    except (OSError, ValueError) as problem:
        raise InputError(
            f"--classes {args.classes} is neither a list that is known here nor a file that can be "
            f"read ({getattr(problem, 'strerror', None) or problem}); give "
            f"{', '.join(data_sets.ALIASES)}, {data_sets.NOBODYS}, or a text file with one name a "
            "line."
        ) from problem


class Loading:
    """Loads the networks of one command with its answers, and accounts for them in the end."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.answers, self._names = answers(args), listed_classes(args)
        self._loaded: dict[str, LoadedModel] = {}

    def __call__(self, name: str, known: Mapping[str, str]) -> LoadedModel:
        """Load a network by its name, with what a recipe says of it and what was answered."""
        model = load_answered(name, {**known, **self.answers})
        model = model.with_names(self._names)
        self._loaded[name] = model
        return model

    def account(self) -> list[str]:
        """Return what was assumed of the networks that were loaded, a line each; InputError for an
        answer that none of them needed."""
        left = set.intersection(
            *(set(unused(model.report, self.answers)) for model in self._loaded.values())
        )
        if left:
            reports = {name: model.report for name, model in self._loaded.items()}
            raise InputError(_refused(sorted(left), reports))
        return [
            f"{name}: {assumed_words(fact)}"
            for name, model in self._loaded.items()
            for fact in (model.report.assumed if model.report else ())
        ]


def assumed_words(fact: Fact) -> str:
    """Return a fact that may be wrong, where it is from, and how to say otherwise."""
    others = " | ".join(one for one in fact.choices or () if one != fact.value) or "VALUE"
    return f"{fact.name} {fact.value}, from {fact.source}; else --set {fact.name}={others}"


def _refused(left: Iterable[str], reports: Mapping[str, Report | None]) -> str:
    """Return the refusal of answers that no network needed, with those that they take."""
    taken = [
        f"{Path(name).name} takes "
        + (", ".join(report.open_to_answers if report else ()) or "no answers")
        for name, report in reports.items()
    ]
    return (
        f"--set {', '.join(left)} is nothing that can be answered here: {'; '.join(taken)}. Leave "
        "it out, or check its spelling."
    )


def models(_args: argparse.Namespace) -> list[str]:
    """Return the lines of ``models``: every network, what it costs, whether it is here."""
    rows = {row.id: row for row in PUBLISHED}
    width = max(len(entry.id) for entry in catalogue.entries())
    lines = [f"{'id':{width}}{'parameters':>12}{'GMACs':>9}  what and where from"]
    for entry in catalogue.entries():
        said = _published(rows[entry.id], entry) if entry.id in rows else _said(entry)
        lines.append(f"{entry.id:{width}}{_cost(entry)}  {said}")
    lines += ["", *(f"not supported: {n.title}: {n.reason}" for n in NOT_OFFERED)]
    lines += ["", "timm:NAME, torchvision:NAME, hf:ORG/NAME: any network that attends, such as"]
    lines += [f"  {name}  {what}" for name, what in registry.STARTING_POINTS.items()]
    return [*lines, "", NONE_PUBLISHED, f"Downloads are kept in {cache.folder()}."]


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
    if is_library_name(args.checkpoint):
        return account(load_answered(args.checkpoint, given))
    path, publishers = _located(args.checkpoint)
    try:
        found = checkpoints.inspect(path, given, publishers)
    except UndecidedError as problem:
        raise OpenQuestionsError(problem) from problem
    if left := unused(found.report, given):
        raise InputError(_refused(left, {args.checkpoint: found.report}))
    if names := listed_classes(args):
        check_count(names, found.spec.num_classes, args.checkpoint)
    return _account(found, described(found.spec), args.keys)


class OpenQuestionsError(InputError):
    """A refusal that lists the open questions on lines of their own, below its one line."""

    def __init__(self, problem: UndecidedError) -> None:
        super().__init__(str(problem))
        self.lines = [_asked(question) for question in problem.questions]


def _asked(question: Question) -> str:
    choices = " | ".join(question.choices) or "VALUE"
    return f"  --set {question.name}={choices}    {question.text}"


def _located(name: str) -> tuple[Path, checkpoints.Publishers]:
    """Return the file of a name or path, and who knows of it; a download if it must be."""
    rows = {row.id: row for row in PUBLISHED}
    if name in rows:
        row = rows[name]
        return catalogue.fetch(row, show_progress(name)), lambda _sha256: row.told
    if name in {entry.id for entry in catalogue.bundled()}:
        return catalogue.WEIGHTS / f"{name}.safetensors", checkpoints.unpublished
    return Path(name), told_of


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
    lines += report.hints
    lines += ["", *known.tree, ""]
    lines.append(f"parameters    {known.parameters / 1e6:.2f}M, {known.gmacs:.2f} GMACs")
    lines.append(f"keys          {len(report.renamed)} mapped, {len(report.ignored)} ignored")
    if keys:
        lines += ["", *(f"  {key} -> {ours}" for key, ours in report.renamed.items())]
        lines += [f"  {key}: ignored, {why}" for key, why in report.ignored.items()]
    return ["".join(c if c.isprintable() else " " for c in line) for line in lines]


def load_answered(name: str, given: Mapping[str, str]) -> LoadedModel:
    """Load a network, showing how a download goes; its open questions are listed."""
    try:
        return catalogue.load(name, answers=given, progress=show_progress(name))
    except UndecidedError as problem:
        raise OpenQuestionsError(problem) from problem
