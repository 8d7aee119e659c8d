"""Key tables: how a family's names become ours, as rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from torch import Tensor

from errors import CheckpointError


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


def rename(table: KeyTable, tensors: Mapping[str, Tensor], file_name: str) -> Renamed:
    """Apply a table to every key; CheckpointError when one is unknown or two meet."""
    ours: dict[str, Tensor] = {}
    renamed, ignored, unknown = {}, {}, []
    for key, value in tensors.items():
        translated = table.translate(key)
        if translated is None:
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
        raise CheckpointError(
            f"{file_name} has {len(unknown)} keys that this family does not have "
            f"({', '.join(sorted(unknown)[:3])}{', ...' if len(unknown) > 3 else ''}). "
            "Nothing was loaded."
        )
    return Renamed(ours, renamed, ignored)


@cache
def _compiled(pattern: str) -> re.Pattern:
    return re.compile(pattern)
