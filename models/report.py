"""How a checkpoint was understood: what was found, where from, and what had to be asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from errors import CheckpointError

Source = Literal[
    "your answer",
    "the published file",
    "weights",
    "the family's code",
    "metadata",
    "file name",
    "the family's default",
    "the family's only data set",
    "not said",
]
"""Where a fact is from. "the family's code" can do nothing else; "the family's default" is what its
code does where nobody asks for another thing."""


@dataclass(frozen=True)
class Fact:
    """One fact of a network, and its source.

    ``choices`` are what may be answered instead: an empty tuple for any text or number, None where
    nothing can be, because the weights show it.
    """

    name: str
    value: str
    source: Source
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Question:
    """One thing that nothing in the file tells, or that two things in it tell differently."""

    name: str
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The account of one loaded checkpoint.

    ``renamed`` maps every key that was used to ours; ``ignored`` every other key to the reason.
    ``hints`` are lines that suggest what nobody said.
    """

    family: str
    container: str
    facts: tuple[Fact, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    hints: tuple[str, ...] = ()

    @property
    def assumed(self) -> tuple[Fact, ...]:
        """The facts that may be wrong without anything in the file showing it: from its name, and
        choices that its family's code leaves open."""
        return tuple(
            fact
            for fact in self.facts
            if fact.source == "file name"
            or (fact.source == "the family's default" and fact.choices)
        )

    @property
    def answered(self) -> frozenset[str]:
        """The names of the answers that were used."""
        return frozenset(fact.name for fact in self.facts if fact.source == "your answer")

    @property
    def open_to_answers(self) -> tuple[str, ...]:
        """The names of all that can be answered."""
        return tuple(dict.fromkeys(fact.name for fact in self.facts if fact.choices is not None))


class UndecidedError(CheckpointError):
    """A checkpoint that fits, but leaves ``questions`` open; answers go to ``load``."""

    def __init__(self, name: str, questions: tuple[Question, ...]) -> None:
        asked = "; ".join(f"{q.text} ({q.name} = {' or '.join(q.choices)})" for q in questions)
        super().__init__(f"{name} leaves a question open: {asked}. Answer that to load it.")
        self.questions = questions


def unused(report: Report | None, answers: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the answers that a network did not need; all of them without a report."""
    used = report.answered if report else frozenset()
    return tuple(name for name in answers if name not in used)
