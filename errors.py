"""The exception tree: everything the program refuses, as one line for the person who asked; and how
counts read in such lines.

    AttentionVizError
    +-- InputError            what was given cannot be used
    |   +-- MediaError        a picture or clip
    |   +-- OutsideError      a reference patch outside the picture, an unknown block or channel
    |   +-- SpecError         a network description that contradicts itself
    |   +-- CheckpointError   a weight file
    +-- MachineError    the machine: no write permission, no room, not online
    +-- StoppedError    nothing is wrong: the user stopped it

Every message says what is wrong, what is accepted, and what to do. The interface and the command
line print it as it is; any other exception is a bug and is left to crash.
"""

import re

LONGEST = 600
"""Characters of a message; what a hostile file adds beyond that is cut out of the middle."""


_DIGITS = re.compile(r"[0-9]{60,}")


def short_numbers(text: str) -> str:
    """Return a text in which numbers of 60 digits and more, which nobody reads, are cut short."""
    return _DIGITS.sub(lambda found: f"{found[0][:20]}... ({len(found[0])} digits)", text)


class AttentionVizError(Exception):
    """Base of every refusal; its text is one line meant for the user.

    Messages quote names and keys from foreign files, so control characters and line breaks become
    spaces here, once for all of them.
    """

    def __init__(self, message: str) -> None:
        printable = "".join(c if c.isprintable() else " " for c in message)
        line = short_numbers(" ".join(printable.split()))
        if len(line) > LONGEST:
            # Between words, where there are some: half a name says nothing.
            start, end = line[: LONGEST - 200], line[-195:]
            start = start.rpartition(" ")[0] or start
            line = f"{start} ... {end.partition(' ')[2] or end}"
        super().__init__(line)


def plural(word: str) -> str:
    """Return channels, classes, boxes, patches, entries."""
    if re.search("[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search("(s|x|ch|sh)$", word) else f"{word}s"


def counted(count: float, word: str) -> str:
    """Return 1 panel, 2 panels, 12,345 pictures, 1.5 hours."""
    number = f"{count:g}" if count % 1 else f"{int(count):,}"
    return f"{number} {word if count == 1 else plural(word)}"


def without_frames(problem: AttentionVizError) -> AttentionVizError:
    """Return an equal refusal to keep: the one that was raised holds everything that its functions
    had in hand, a whole weight file among it."""
    kept = type(problem).__new__(type(problem), *problem.args)
    kept.__dict__.update(problem.__dict__)
    return kept


_NO_MEMORY = re.compile(
    r"out of memory|(insufficient|not enough) memory|cannot allocate|memory alloc", re.IGNORECASE
)


def is_out_of_memory(problem: BaseException | None) -> bool:
    """Tell whether an error is one of too little memory, or came from one that is; libraries in
    other languages say so only in words."""
    seen: list[BaseException] = []
    while problem is not None and problem not in seen:
        said = "" if isinstance(problem, AttentionVizError) else str(problem)
        if isinstance(problem, MemoryError) or _NO_MEMORY.search(said):
            return True
        seen.append(problem)
        problem = problem.__cause__ or problem.__context__
    return False


class InputError(AttentionVizError):
    """Something that was given cannot be used."""


class MediaError(InputError):
    """A picture or clip that cannot be read, or is over a limit."""


class OutsideError(InputError):
    """A reference, block, channel or class that the picture or the network does not have."""


class SpecError(InputError):
    """A network description that contradicts itself."""


class CheckpointError(InputError):
    """A weight file that is damaged, foreign, or does not fit the network."""


class MachineError(AttentionVizError):
    """The machine refuses: no write permission, no room, not online."""


class StoppedError(AttentionVizError):
    """Work that its user stopped; nothing is wrong, and it can be started again."""
