"""Facts of a network and their sources, in the order of trust: the user's answer, what is known of
a published file, the family's only code, metadata, whole words of the file name.

Where two of them tell different things, neither is believed: it is a question.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from errors import CheckpointError
from models.report import Fact, Question, Source, UndecidedError

Row = tuple[str, str]
"""(regular expression, value when it is found; empty: its first group)."""

Found = tuple[str, Source]
"""A value, and who says so."""


@dataclass(frozen=True)
class Ask:
    """How one thing is found out.

    ``metadata`` patterns are searched in the text kept beside the weights, ``name = value`` a line.
    ``file_name`` patterns match whole words of the lower-case name, where one underscore stands
    for whatever is between words; a word that one row has is gone for the next. ``implied`` rows
    are looked at where none of those matches. ``only`` is what the family's code does and cannot do
    otherwise, ``default`` what it does where nothing else tells. Without any, ``text`` is asked.
    """

    name: str
    text: str
    choices: tuple[str, ...]
    metadata: tuple[Row, ...] = ()
    file_name: tuple[Row, ...] = ()
    implied: tuple[Row, ...] = ()
    only: str | None = None
    default: str | None = None


@dataclass
class Facts:
    """Collects facts while a family describes its network; open questions are asked together.

    ``published`` is what its publisher says of exactly this file, ``only_data`` the list of class
    names of the one data set that the family publishes networks for.
    """

    file_name: str
    metadata: Mapping[str, str]
    answers: Mapping[str, str]
    published: Mapping[str, str] = field(default_factory=dict)
    only_data: str = ""
    noted: list[Fact] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    @cached_property
    def text(self) -> str:
        """All metadata, ``name = value`` a line."""
        return "\n".join(f"{name} = {value}" for name, value in self.metadata.items())

    @cached_property
    def words(self) -> str:
        """The words of the file name, in lower case, with one underscore around each."""
        return f"_{re.sub('[^a-z0-9]+', '_', self.file_name.lower()).strip('_')}_"

    def note(
        self,
        name: str,
        value: object,
        source: Source = "weights",
        choices: tuple[str, ...] | None = None,
    ) -> None:
        """Note what needs no asking: what the weights show, or the family's code does."""
        self.noted.append(Fact(name, str(value), source, choices))

    def settle(self, ask: Ask) -> str:
        """Return the value of ``ask``; where sources are missing or differ, its first choice, and
        a question."""
        found = self._given(ask) or self._told(ask)
        if len({value for value, _source in found}) != 1:
            self.questions.append(Question(ask.name, _question(ask.text, found), ask.choices))
            return ask.choices[0] if ask.choices else found[0][0]
        value, source = found[0]
        if ask.choices and value not in ask.choices:
            raise CheckpointError(
                f"{self.file_name}: {ask.name} cannot be {value!r} ({source}); use one of "
                f"{', '.join(ask.choices)}."
            )
        self.noted.append(Fact(ask.name, value, source, ask.choices))
        return value

    def _given(self, ask: Ask) -> list[Found]:
        """Return what overrules all else: the answer, or the publisher."""
        if ask.name in self.answers:
            return [(str(self.answers[ask.name]), "your answer")]
        if ask.name in self.published:
            return [(str(self.published[ask.name]), "the published file")]
        return []

    def _told(self, ask: Ask) -> list[Found]:
        """Return what every source says, in the order of trust; the default where none does."""
        found: list[Found] = [] if ask.only is None else [(ask.only, "the family's code")]
        found += [(value, "metadata") for value in _searched(ask.metadata, self.text)]
        found += [(value, "file name") for value in self._named(ask)]
        if not found and ask.default is not None:
            found = [(ask.default, "the family's default")]
        return found

    def _named(self, ask: Ask) -> list[str]:
        return _worded(ask.file_name, self.words) or _worded(ask.implied, self.words)

    def number(self, ask: Ask) -> int:
        """Return a count that weights do not show, such as the pixels of the input."""
        value = self.settle(ask)
        if not value.isdecimal():
            raise CheckpointError(
                f"{self.file_name}: {ask.name} cannot be {value!r}; use a whole number."
            )
        return int(value)

    def finish(self) -> tuple[Fact, ...]:
        """Return the facts; UndecidedError when a question is open."""
        if self.questions:
            raise UndecidedError(self.file_name, tuple(self.questions))
        return tuple(self.noted)


def _question(text: str, found: list[Found]) -> str:
    """Return a question, with what was said differently."""
    said = ", ".join(f"{value} ({source})" for value, source in dict.fromkeys(found))
    return f"{text} Sources differ: {said}." if said else text


def _searched(rows: Iterable[Row], text: str) -> list[str]:
    """Return what each row that is found in a text says, its first place alone."""
    found = ((value, re.search(pattern, text)) for pattern, value in rows if pattern)
    return [value or match[1] for value, match in found if match]


def _worded(rows: Iterable[Row], words: str) -> list[str]:
    """Return what each row says of whole words, taking the words that it has away."""
    said = []
    for pattern, value in rows:
        whole = rf"(?<=_)(?:{pattern})(?=_)"
        said += [value or match[1] for match in re.finditer(whole, words)]
        words = re.sub(whole, "", words)
    return said
