"""Key tables: how a family's names become ours, as rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from torch import Tensor

from errors import CheckpointError, counted


@dataclass(frozen=True)
class Rule:
    """Keys that match ``pattern`` whole become ``ours``; None: they are left out for ``reason``.

    ``ours`` is a format string over the pattern's named groups. A group called ``layer``
    (torchvision's 1..4) also gives ``stage`` (2..5), and the other way round.
    """

    pattern: str
    ours: str | None
    reason: str = ""


Words = Mapping[str, Mapping[str, str]]
"""Group name -> the family's word -> ours."""

_MOST_LISTED = 3
COUNTER = Rule(r".*num_batches_tracked", None, "a counter that training keeps")


@dataclass(frozen=True)
class KeyTable:
    """The rules of one family, tried in order, and its words."""

    rules: tuple[Rule, ...]
    words: Words = field(default_factory=dict)

    def translate(self, key: str) -> tuple[str | None, str] | None:
        """Return (our key or None, reason), or None when no rule knows the key."""
        for rule in self.rules:
            found = _compiled(rule.pattern).fullmatch(key)
            if found:
                ours = rule.ours and rule.ours.format(**self._groups(found.groupdict()))
                return ours, rule.reason
        return None

    def _groups(self, found: dict[str, str]) -> dict[str, str]:
        groups = {name: self.words.get(name, {}).get(word, word) for name, word in found.items()}
        if "layer" in groups:
            groups["stage"] = str(int(groups["layer"]) + 1)
        elif "stage" in groups:
            groups["layer"] = str(int(groups["stage"]) - 1)
        return groups


@dataclass(frozen=True, eq=False)
class Renamed:
    """Tensors under our names, the key that each had, and what was left out why."""

    tensors: dict[str, Tensor]
    renamed: dict[str, str]
    ignored: dict[str, str]


Leave = Callable[[str], str | None]
"""Takes a key that no rule knows and returns why it may be left out; None: it may not."""


def rename(
    table: KeyTable,
    tensors: Mapping[str, Tensor],
    file_name: str,
    leave: Leave = lambda _key: None,
) -> Renamed:
    """Apply a table to every key; CheckpointError when one is unknown or two meet."""
    ours: dict[str, Tensor] = {}
    renamed, ignored, unknown = {}, {}, []
    for key, value in tensors.items():
        translated = table.translate(key)
        if translated is None:
            if reason := leave(key):
                ignored[key] = reason
            else:
                unknown.append(key)
            continue
        target, reason = translated
        if target is None:
            ignored[key] = reason
        elif target in ours:
            if not ours[target].equal(value):
                raise CheckpointError(
                    f"{file_name} holds two different tensors for {target} ({key} is the second); "
                    "files with one value for each are read. Nothing was loaded."
                )
            ignored[key] = f"the same values as {target}"
        else:
            ours[target], renamed[key] = value, target
    if unknown:
        raise unknown_keys(unknown, file_name)
    return Renamed(ours, renamed, ignored)


def unknown_keys(unknown: Sequence[str], file_name: str) -> CheckpointError:
    """Return the refusal of keys that nobody knows, with the way to leave them out."""
    listed = ", ".join(sorted(unknown)[:_MOST_LISTED])
    return CheckpointError(
        f"{file_name} has {counted(len(unknown), 'key')} that this family does not have "
        f"({listed}{', ...' if len(unknown) > _MOST_LISTED else ''}). Nothing was loaded. If maps "
        f"do not need them, leave them out: ignore={_pattern(unknown)} (--ignore)."
    )


def _pattern(unknown: Sequence[str]) -> str:
    """Return a pattern that the first of the keys has."""
    first = sorted(unknown)[0]
    return f"{first.partition('.')[0]}.*" if "." in first else first


@cache
def _compiled(pattern: str) -> re.Pattern:
    return re.compile(pattern)
