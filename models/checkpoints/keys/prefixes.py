"""Where the network is among the keys of a state dict: under which prefix, and whose it is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from errors import CheckpointError
from models.checkpoints.families.clips import TRUNK_FAMILY
from models.checkpoints.families.detectors import DETECTOR_FAMILIES
from models.checkpoints.families.family import Family
from models.checkpoints.families.registry import family_of, known_family, refuse_unsupported
from models.report import Fact, Question, UndecidedError

PREFIX = "prefix"
"""The name of the question which of several networks in one state dict is meant."""

_FIRST_UNITS = tuple(
    re.compile(rf"((?:[^.]+\.)*?)(?:{unit})\..*")
    for unit in (
        r"layer1\.0\.(?:block\.)?conv1",
        r"res_layers\.0\.0\.conv1",
        r"s2\.pathway0_res0",
        r"_blocks\.0",
    )
)
"""The first residual unit of the families, behind any prefix."""


@dataclass(frozen=True, eq=False)
class Located:
    """A network among the keys of a file.

    ``tensors`` are those under ``prefix``, without it; ``written`` gives the key in the file of
    each; ``outside`` are the other keys. ``facts`` is what had to be answered, and the prefix;
    ``others`` are the prefixes of the networks that were not meant.
    """

    family: Family
    prefix: str
    tensors: dict[str, Tensor]
    written: dict[str, str]
    outside: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    others: tuple[str, ...] = ()


def locate(tensors: Mapping[str, Tensor], name: str, answer: str | None) -> Located:
    """Find the network in a state dict; CheckpointError for none, UndecidedError for several.

    ``answer`` is the prefix that is meant, as the question has it.
    """
    if (detector := _detector(tensors)) is not None:
        return _located(tensors, *detector, ())
    refuse_unsupported(tensors, name)
    roots = sorted({root for key in tensors if (root := _root(key)) is not None})
    chosen, facts = _chosen(roots, tensors, name, answer)
    others = tuple(root for root in roots if root and root != chosen)
    meant = {key: value for key, value in tensors.items() if not key.startswith(others)}
    found = None
    for prefix in _levels(chosen):
        family = known_family(_under(meant, prefix))
        if family is not None and (family is not TRUNK_FAMILY or prefix == chosen):
            found = _located(tensors, prefix, family, facts)
            break
    if found is None:
        found = _located(tensors, chosen, family_of(_under(meant, chosen), name), facts)
    return replace(found, others=others)


def _detector(tensors: Iterable[str]) -> tuple[str, Family] | None:
    """Return the prefix of a detector and its family: its trunk is only a part of it."""
    for family in DETECTOR_FAMILIES:
        pattern = re.compile(rf"((?:[^.]+\.)*?)(?:{family.mark})")
        for key in tensors:
            if found := pattern.fullmatch(key):
                return found[1], family
    return None


def _root(key: str) -> str | None:
    """Return what stands before the first residual unit, where a key is of that."""
    found = next((m for pattern in _FIRST_UNITS if (m := pattern.fullmatch(key))), None)
    return found[1] if found else None


def _chosen(
    roots: list[str], tensors: Mapping[str, Tensor], name: str, answer: str | None
) -> tuple[str, tuple[Fact, ...]]:
    """Return the prefix of the network that is meant."""
    if len(roots) < 2:
        return (roots[0] if roots else shared_prefix(tensors)), ()
    choices = tuple(root.removesuffix(".") or "(no prefix)" for root in roots)
    if answer is None:
        which = "Which of the networks in it is meant?"
        raise UndecidedError(name, (Question(PREFIX, which, choices),))
    if answer not in choices:
        raise CheckpointError(
            f"{name} has no network under {answer[:40]!r}; it has {', '.join(choices)}."
        )
    return roots[choices.index(answer)], (Fact(PREFIX, answer, "your answer", choices),)


def shared_prefix(keys: Iterable[str]) -> str:
    """Return what all keys begin with, up to a dot, leaving each at least its last part."""
    split = [key.split(".")[:-1] for key in keys]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "".join(f"{part}." for part in shared)


def _levels(prefix: str) -> list[str]:
    """Return a prefix and those above it: families have some of their own (backbone.)."""
    parts = prefix.split(".")[:-1]
    return ["".join(f"{part}." for part in parts[:n]) for n in range(len(parts), -1, -1)]


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _located(
    tensors: Mapping[str, Tensor], prefix: str, family: Family, facts: tuple[Fact, ...]
) -> Located:
    under = {key: key.removeprefix(prefix) for key in tensors if key.startswith(prefix)}
    if prefix and not facts:
        facts = (Fact(PREFIX, prefix, "weights"),)
    return Located(
        family,
        prefix,
        {bare: tensors[key] for key, bare in under.items()},
        {bare: key for key, bare in under.items()},
        tuple(key for key in tensors if key not in under),
        facts,
    )


def beside(key: str, prefix: str) -> str:
    """Return what is left of a key behind the parts that it shares with a prefix."""
    rest, parts = key, prefix.split(".")[:-1]
    for part in parts:
        if not rest.startswith(f"{part}."):
            break
        rest = rest.removeprefix(f"{part}.")
    return rest
