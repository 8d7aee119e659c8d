"""Facts of a network and their sources: weights, metadata and file name first, then the family's
code, then the user."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from errors import CheckpointError
from models.report import Fact, Question, Source, UndecidedError

Row = tuple[str, str]
"""(regular expression, value when it is found)."""


@dataclass(frozen=True)
class Ask:
    """How one thing is found out.

    ``metadata`` patterns are searched in the text kept beside the weights (a pattern without a
    value gives its first group), ``file_name`` patterns in the lower-case name, in order.
    ``code`` is the one value of the family's own code; without it the user is asked ``text``.
    """

    name: str
    text: str
    choices: tuple[str, ...]
    metadata: tuple[Row, ...] = ()
    file_name: tuple[Row, ...] = ()
    code: str | None = None


@dataclass
class Facts:
    """Collects facts while a family describes its network; open questions are asked together."""

    file_name: str
    metadata: Mapping[str, str]
    answers: Mapping[str, str]
    noted: list[Fact] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def note(self, name: str, value: object) -> None:
        """Note what the weights themselves say."""
        self.noted.append(Fact(name, str(value), "weights"))

    def settle(self, ask: Ask) -> str:
        """Return the value of ``ask``; where no source has it, its first choice, and a question."""
        found = self._find(ask)
        if found is None:
            self.questions.append(Question(ask.name, ask.text, ask.choices))
            return ask.choices[0]
        value, source = found
        if ask.choices and value not in ask.choices:
            raise CheckpointError(
                f"{self.file_name}: {ask.name} cannot be {value!r} ({source}); use one of "
                f"{', '.join(ask.choices)}."
            )
        self.noted.append(Fact(ask.name, value, source))
        return value

    def _find(self, ask: Ask) -> tuple[str, Source] | None:
        if ask.name in self.answers:
            return str(self.answers[ask.name]), "your answer"
        text = "\n".join(self.metadata.values())
        if (value := _searched(ask.metadata, text)) is not None:
            return value, "metadata"
        if (value := _searched(ask.file_name, self.file_name.lower())) is not None:
            return value, "file name"
        return None if ask.code is None else (ask.code, "the family's code")

    def number(self, name: str, metadata: str, file_name: str, code: int) -> int:
        """Return a count that weights do not show, such as the frames of a clip."""
        ask = Ask(name, "", (), ((metadata, ""),), ((file_name, ""),), str(code))
        value = self.settle(ask)
        if not value.isdecimal():
            raise CheckpointError(
                f"{self.file_name}: {name} cannot be {value!r}; use a whole number."
            )
        return int(value)

    def finish(self) -> tuple[Fact, ...]:
        """Return the facts; UndecidedError when a question is open."""
        if self.questions:
            raise UndecidedError(self.file_name, tuple(self.questions))
        return tuple(self.noted)


def _searched(rows: tuple[Row, ...], text: str) -> str | None:
    for pattern, value in rows:
        found = re.search(pattern, text) if pattern else None
        if found:
            return value or found[1]
    return None
