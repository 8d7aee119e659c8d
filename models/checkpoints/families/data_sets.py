"""Whose classes a network tells apart, and at which size its pictures come in: from an answer, the
published file, metadata, or the family's only data set. A matching count alone names nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from errors import CheckpointError, counted
from models.checkpoints.families.facts import Ask, Facts
from models.class_names import NAMES, class_names
from models.report import Source
from models.specs.network import ModelSpec, NetworkSpec, Preprocessing

NAMES_OF_CLASSES = "class_names"
"""The name of the question whose answer is one of CHOICES."""
INPUT_SIZE = "input_size"

ALIASES = {
    "cub200": "cub-200",
    "kinetics400": "kinetics-400",
    "imagenet": "imagenet-1k",
    "digits": "digits",
}
"""What people type -> list of class names."""
NOBODYS = "none"
CHOICES = (*ALIASES, *NAMES, NOBODYS)
"""Every answer that is taken."""
LISTS = (*NAMES, NOBODYS)

TITLES = {
    "cub-200": "CUB-200-2011",
    "kinetics-400": "Kinetics-400",
    "imagenet-1k": "ImageNet",
    "digits": "the ten digits",
    "coco-91": "COCO, by its own numbers",
    "coco-81": "COCO, its 80 classes in a row",
    "coco-person": "COCO, people only",
    "ava-81": "AVA's actions of people",
}
_OPTION = {listed: alias for alias, listed in ALIASES.items()}

_TOLD = re.compile(r"(?im)\b(?:data_?set(?:_?name)?|data_(?:root|prefix))['\"]?\s*[=:]\s*(.+)$")
_WORDS = (
    (re.compile(r"(?i)\bcub(?:\b|[-_ ]?200)"), "cub-200"),
    (re.compile(r"(?i)\bkinetics(?:\b|[-_ ]?400)"), "kinetics-400"),
    (re.compile(r"(?i)(?<![\w-])imagenet(?:\b|[-_]?1k)"), "imagenet-1k"),
    (re.compile(r"(?i)\bmnist\b"), "digits"),
)
_LISTS = re.compile(r"(?i)(?:.*\.)?(?:classes|class_?names|categories|label_?names|labels)")
_NUMBERED = re.compile(r"(?i)(?:.*\.)?(class_to_idx|id2label)\.(.+)")

_PIXELS = r"(3[2-9]|[4-9]\d|\d{3}|1\d{3})\b"
"""A size that an input can have: 32 to 1999."""
CUB_SIZE, CUB_RESIZE = 448, 512
"""The papers' protocol for CUB (Yue et al. 2018, sec. 4.2), in pixels."""


def settle_class_names(spec: NetworkSpec, facts: Facts) -> tuple[str, ...]:
    """Return the names of a network's classes, empty where nobody says them, and note whence."""
    count = spec.num_classes
    if not count:
        return ()
    given = facts.answers.get(NAMES_OF_CLASSES) or facts.published.get(NAMES_OF_CLASSES)
    if given is None and (names := _listed(facts.metadata, count)):
        facts.note(NAMES_OF_CLASSES, f"{names[0]} to {names[-1]}", "metadata", LISTS)
        return names
    listed, source = _chosen(count, facts)
    facts.note(NAMES_OF_CLASSES, listed, source, LISTS)
    return class_names(listed) if listed != NOBODYS else ()


def _chosen(count: int, facts: Facts) -> tuple[str, Source]:
    """Return which list names the classes, and who says so."""
    if NAMES_OF_CLASSES in facts.answers:
        return _answered(str(facts.answers[NAMES_OF_CLASSES]), count, facts), "your answer"
    said: tuple[tuple[str, Source], ...] = (
        (facts.published.get(NAMES_OF_CLASSES, ""), "the published file"),
        (_data_set(facts.text), "metadata"),
        (facts.only_data, "the family's only data set"),
    )
    for listed, source in said:
        if listed and len(class_names(listed)) == count:
            return listed, source
    return NOBODYS, "not said"


def _answered(answer: str, count: int, facts: Facts) -> str:
    listed = ALIASES.get(answer, answer)
    if listed not in (*NAMES, NOBODYS):
        raise CheckpointError(
            f"{facts.file_name}: {answer[:40]!r} is no list of class names; use "
            f"{', '.join(ALIASES)} or {NOBODYS}, or on the command line a file with one name a "
            "line."
        )
    if listed != NOBODYS and len(class_names(listed)) != count:
        raise CheckpointError(
            f"{facts.file_name} has {counted(count, 'class')}, and {TITLES[listed]} "
            f"{len(class_names(listed))}: they cannot be named by it. Use a list of "
            f"{counted(count, 'name')}, or {NOBODYS}."
        )
    return listed


def _data_set(text: str) -> str:
    """Return the list of the one data set that metadata says the network was trained on."""
    said = "\n".join(_TOLD.findall(text))
    found = {listed for pattern, listed in _WORDS if pattern.search(said)}
    return found.pop() if len(found) == 1 else ""


def _listed(metadata: Mapping[str, str], count: int) -> tuple[str, ...]:
    """Return the ``count`` names that metadata lists or numbers; empty without."""
    for name, text in metadata.items():
        if _LISTS.fullmatch(name) and len(found := _texts(text)) == count:
            return found
    numbered: dict[int, str] = {}
    for name, text in metadata.items():
        if match := _NUMBERED.fullmatch(name):
            swapped = match[1].lower() == "class_to_idx"
            number, label = (text, match[2]) if swapped else (match[2], text)
            if number.isdecimal():
                numbered[int(number)] = label
    complete = sorted(numbered) == list(range(count))
    return tuple(numbered[number] for number in range(count)) if complete else ()


def _texts(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    listed = isinstance(found, list) and all(isinstance(one, str) for one in found)
    return tuple(found) if listed else ()


def suggestion(spec: NetworkSpec, names: tuple[str, ...]) -> str:
    """Return whose classes it may be, by their number alone; empty where nothing is suggested."""
    if names:
        return ""
    fitting = [n for n in NAMES if spec.num_classes == len(class_names(n))] if _few(spec) else []
    if not fitting:
        return ""
    return (
        f"It tells {counted(spec.num_classes, 'class')} apart, as {TITLES[fitting[0]]} has; if "
        f"they are these, give {_OPTION[fitting[0]]} as the class names (on the command line "
        f"--classes {_OPTION[fitting[0]]})."
    )


def _few(spec: NetworkSpec) -> bool:
    """ImageNet's names take long to fetch: only a network with their number needs them."""
    return spec.num_classes in (10, 200, 400, 1000)


_CODE: Source = "the family's code"


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.3g}" for value in dict.fromkeys(values))


def with_input_size(spec: NetworkSpec, names: tuple[str, ...], facts: Facts) -> NetworkSpec:
    """Return the spec of an image network with the input size that was said, in pixels.

    CUB's pictures come in at 448 pixels in the papers; a count of 200 classes does not say that
    they are CUB's.
    """
    prep = spec.preprocessing
    facts.note("colours", f"mean {_numbers(prep.mean)}, deviation {_numbers(prep.std)}", _CODE)
    if not isinstance(spec, ModelSpec) or prep.frames > 1:
        facts.note(INPUT_SIZE, prep.size, _CODE)
        return spec
    birds = names == class_names("cub-200") and prep.size == Preprocessing().size
    ask = Ask(
        INPUT_SIZE,
        "How many pixels a side has the network's input?",
        (),
        metadata=((r"(?i)\b(?:input|crop|image|img)_?size['\"]?\s*[=:]\s*[\[(]?" + _PIXELS, ""),),
        default=str(CUB_SIZE if birds else prep.size),
    )
    size = facts.number(ask)
    if size == prep.size:
        return spec
    resize = CUB_RESIZE if size == CUB_SIZE else round(size * prep.resize / prep.size)
    return replace(spec, preprocessing=replace(prep, size=size, resize=resize))
