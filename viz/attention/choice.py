"""Which maps of a block are meant: ``MapChoice`` names one, ``Selection`` several.

This is the only place that reads and writes "channel 1", "c17", "group 0", "auto" or "0,3,17".
"""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from errors import InputError

DEFAULT_COUNT = 5
MOST_LISTED = 4096
"""Numbers that a range like 1-4 may stand for."""
ALIASES = {"distinctiveness": "standout", "best channel of each group": "one per group"}
"""What pages call a ranking -> its name in recipes."""


class Part(NamedTuple):
    """What a block's maps are of. ``tag`` stands before a number ("c17"); where ``ranked``, the
    word with a number counts by rank, from 1 ("channel 1"), else it is the number, from 0."""

    tag: str
    ranked: bool


PARTS: dict[str, Part] = {
    "channel": Part("c", True),
    "class": Part("k", True),
    "group": Part("g", False),
    "head": Part("h", False),
}
SUMMARIES = ("union", "mean", "maximum")
"""One map made of several: the largest of the scaled maps, or mean and maximum over heads."""

_RANKED = "|".join(word for word, part in PARTS.items() if part.ranked)
_NUMBERED = "|".join(word for word, part in PARTS.items() if not part.ranked)
_TAGS = "".join(part.tag for part in PARTS.values())
PATTERN = (
    f"^({'|'.join(SUMMARIES)}|({_RANKED}) [1-9][0-9]{{0,4}}|({_NUMBERED}) [0-9]{{1,5}}"
    f"|[{_TAGS}][0-9]{{1,5}})$"
)
"""What ``MapChoice.parse`` accepts, for the schema of recipes."""


@dataclass(frozen=True)
class MapChoice:
    """One map of a block: a ``part`` (a word of PARTS) by rank or number, or a summary of all.

    ``number`` counts from 1 by rank, from 0 else; None for a summary, whose name is the ``part``.
    """

    part: str
    number: int | None = None
    by_rank: bool = False

    def __str__(self) -> str:
        if self.number is None:
            return self.part
        named = self.by_rank or not PARTS[self.part].ranked
        return f"{self.part} {self.number}" if named else self.tag

    @property
    def tag(self) -> str:
        """Short name, for labels: c17, g0, union."""
        return self.part if self.number is None else f"{PARTS[self.part].tag}{self.number}"

    @staticmethod
    def parse(text: str) -> "MapChoice":
        """Read "channel 1" (by rank), "c17" (by number), "group 0", "union"; else InputError."""
        if not re.fullmatch(PATTERN, text):
            raise InputError(
                f"{text[:40]!r} is not a map; write channel 1 (counted by rank), c17 (channel 17), "
                f"group 0, head 0, class 1, or {', '.join(SUMMARIES)}."
            )
        if text in SUMMARIES:
            return MapChoice(text)
        word, _, number = text.partition(" ")
        if number:
            return MapChoice(word, int(number), PARTS[word].ranked)
        word = next(word for word, part in PARTS.items() if part.tag == text[0])
        return MapChoice(word, int(text[1:]))


def numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a list like "0,3,17", "1-4" or "3;7", each once; None for any other
    text, and for one that would have more than MOST_LISTED."""
    found: list[int] = []
    for part in re.split("[,;]", text):
        ends = re.fullmatch(r"\s*([0-9]{1,8})\s*(?:[-\u2013]\s*([0-9]{1,8})\s*)?", part, re.ASCII)
        if not ends:
            return None
        first = int(ends[1])
        last = int(ends[2] or first)
        if last < first or last - first >= MOST_LISTED:
            return None
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found))


def ranked(part: str, rank: int) -> MapChoice:
    """Return the map of a part that comes ``rank``-th, from 1."""
    return MapChoice(part, rank, by_rank=True)


@dataclass(frozen=True)
class Selection:
    """Which maps of a block are listed: the ``count`` first by a ``ranking`` ("": the kind's own),
    those ``listed`` by number, or with ``divisions`` every group or head."""

    ranking: str = ""
    count: int = DEFAULT_COUNT
    listed: tuple[int, ...] = ()
    divisions: bool = False

    @staticmethod
    def parse(text: str, rankings: tuple[str, ...]) -> "Selection":
        """Read "auto", "groups" or "heads", one of ``rankings``, or numbers like "0,3,17"."""
        text = ALIASES.get(text.strip(), text.strip())
        if text in ("auto", *rankings):
            return Selection("" if text == "auto" else text)
        if text in ("groups", "heads"):
            return Selection(divisions=True)
        found = numbers(text)
        if found is None:
            raise InputError(
                f"{text[:80]!r} is not a choice of maps; use auto, groups, heads, "
                f"{', '.join(rankings)}, or numbers like 0,3,17 or 1-4."
            )
        return Selection(listed=found)

    def __str__(self) -> str:
        if self.divisions:
            return "groups"
        return ",".join(map(str, self.listed)) or self.ranking or "auto"

    @property
    def most(self) -> int:
        """How many maps are listed at most, where they are not divisions."""
        return len(self.listed) or self.count

    def counted(self, count: int) -> "Selection":
        """Return the selection with another number of ranked maps."""
        return replace(self, count=count)
