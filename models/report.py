"""How a checkpoint was understood: what was found, where from, and what had to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from errors import CheckpointError

Source = Literal["weights", "metadata", "file name", "the family's code", "your answer"]


@dataclass(frozen=True)
class Fact:
    """One fact of a network, and its source."""

    name: str
    value: str
    source: Source


@dataclass(frozen=True)
class Question:
    """One thing that neither weights, metadata nor file name show."""

    name: str
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The account of one loaded checkpoint.

    ``renamed`` maps every key that was used to ours; ``ignored`` every other key to the reason.
    """

    family: str
    container: str
    facts: tuple[Fact, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)


class UndecidedError(CheckpointError):
    """A checkpoint that fits, but leaves ``questions`` open; answers go to ``load``."""

    def __init__(self, name: str, questions: tuple[Question, ...]) -> None:
        asked = "; ".join(f"{q.text} ({q.name} = {' or '.join(q.choices)})" for q in questions)
        super().__init__(f"{name} leaves a question open: {asked}. Answer that to load it.")
        self.questions = questions
