"""The text of a recipe inside a file: a recipe.json, or a figure (PDF, SVG, EPS, PNG or TIFF) that
this program wrote.

Files come from anywhere, so everything is capped, and what is damaged becomes one line. Nothing
here needs torch: children of a server do it.
"""

import io
import logging
import struct
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from pypdf import PdfReader

from errors import InputError
from viz.figure.files import eps
from viz.figure.files.export import RECIPE_KEY
from viz.figure.recipe.strict_json import LARGEST_RECIPE

LARGEST_BYTES = 64 * 2**20
LONGEST_SECONDS = 20.0
"""A PDF with the largest recipe takes a sixth of this; damaged files can lead round in rings."""
MOST_CHUNKS = 100_000
DEEPEST = 100
"""Elements inside one another in an SVG."""
ACCEPTED = "give a recipe.json, or a PDF, SVG, EPS, PNG or TIFF figure that this program wrote"

_PNG = b"\x89PNG\r\n\x1a\n"
_TIFFS, _EPS = (b"II*\0", b"MM\0*"), b"%!PS-Adobe"
_DESCRIPTION_TAG = 270
_PIECE = 4 * 2**20
"""An SVG is parsed in few pieces: expat begins a picture anew with each piece it spans."""
_BLANK = b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"
"""Spaces, byte order marks, and the other half of UTF-16's letters."""
_LATE = "it takes too long to read"
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


class _DamagedError(Exception):
    """The file is not what its first bytes say; the text says what is wrong."""


def find(content: bytes, name: str) -> bytes:
    """Return the text of the recipe in a file that is called ``name``; what it is, its bytes say.

    InputError in one line when there is none, or when it cannot be read.
    """
    check_weight(content, name)
    kind, find_in = _told(content)
    try:
        text = find_in(content)
    except _DamagedError as problem:
        raise InputError(f"{name} is a damaged {kind} ({problem}); {ACCEPTED}.") from problem
    if text is None or not text.lstrip(_BLANK).startswith(b"{"):
        raise InputError(f"{name} holds no recipe; {ACCEPTED}.")
    return text


def check_weight(content: bytes, name: str) -> None:
    """Refuse a file that is too large to be looked into."""
    if len(content) > LARGEST_BYTES:
        raise InputError(
            f"{name} has {len(content) // 2**20} MB; recipes are looked for in files of at most "
            f"{LARGEST_BYTES // 2**20} MB. Give the recipe.json of the figure."
        )


def _told(content: bytes) -> tuple[str, Callable[[bytes], bytes | None]]:
    if content.startswith(_PNG):
        return "PNG", _in_png
    if content.startswith(_TIFFS):
        return "TIFF", _in_tiff
    if content.startswith(_EPS):
        return "EPS", _in_eps
    start = content[:1024].lstrip(_BLANK)
    if start.startswith(b"{"):
        return "JSON", lambda whole: whole
    if start.startswith(b"<") and b"svg" in content[:4096].replace(b"\0", b""):
        return "SVG", _in_svg
    if b"%PDF-" in content[:1024]:
        return "PDF", _in_pdf
    return "file", lambda _whole: None


def _in_tiff(content: bytes) -> bytes | None:
    """Read the description of the first page from its tags; no pixel is looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = ImageFileDirectory_v2(content[:8])
            with io.BytesIO(content) as file:
                file.seek(tags.next)
                tags.load(file)
            found = tags.get(_DESCRIPTION_TAG)
    except Exception as problem:  # Pillow raises almost anything on damaged tags
        raise _DamagedError("its tags cannot be read") from problem
    return found.encode("utf-8", "replace") if isinstance(found, str) else None


def _in_eps(content: bytes) -> bytes | None:
    try:
        return eps.recipe_in(content)
    except ValueError as problem:
        raise _DamagedError("its recipe does not decode") from problem


def _in_png(content: bytes) -> bytes | None:
    for kind, body in _texts(content):
        keyword, _, rest = body.partition(b"\0")
        if keyword != RECIPE_KEY.encode():
            continue
        if kind == b"tEXt":
            return rest
        if kind == b"zTXt":
            return _inflated(rest[1:])
        # iTXt: packed or not, method, language, the keyword in that language, text.
        *_, text = rest[2:].split(b"\0", 2)
        return _inflated(text) if rest[:1] == b"\1" else text
    return None


def _texts(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Walk a PNG's texts; Pillow would unpack every one, ours or not, and none behind pixels."""
    place, whole = len(_PNG), memoryview(content)
    for _ in range(MOST_CHUNKS):
        if len(content) - place < 12:
            raise _DamagedError("it ends early")
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            raise _DamagedError("it ends early")
        if kind == b"IEND":
            return
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            if zlib.crc32(whole[place + 4 : end]) != int.from_bytes(whole[end : end + 4]):
                raise _DamagedError("the checksum of a text is wrong")
            yield kind, content[place + 8 : end]
        place = end + 4
    raise _DamagedError(f"more than {MOST_CHUNKS} chunks")


def _inflated(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        # One byte over the limit is enough for loads to refuse it.
        return unpacker.decompress(packed, LARGEST_RECIPE + 1)
    except zlib.error as problem:
        raise _DamagedError("its text does not unpack") from problem


class _Target:
    """Keeps the text of the first dc:description that begins like a recipe; builds no tree."""

    def __init__(self) -> None:
        self.found: str | None = None
        self._pieces: list[str] | None = None
        self._depth = self._length = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """Take an element's beginning."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise _DamagedError(f"more than {DEEPEST} elements inside one another")
        if tag == _DESCRIPTION and self.found is None:
            self._pieces, self._length = [], 0

    def data(self, text: str) -> None:
        """Take letters; what is beyond the largest recipe is dropped, and refused by its size."""
        if self._pieces is not None and self._length <= LARGEST_RECIPE:
            self._length += len(text)
            self._pieces.append(text)

    def end(self, tag: str) -> None:
        """Take an element's end."""
        self._depth -= 1
        if tag == _DESCRIPTION and self._pieces is not None:
            text, self._pieces = "".join(self._pieces), None
            if text.lstrip().startswith("{"):
                self.found = text

    def close(self) -> None:
        """Nothing is built, so nothing is returned."""


def _in_svg(content: bytes) -> bytes | None:
    target, until = _Target(), time.monotonic() + LONGEST_SECONDS
    parser = DefusedXMLParser(target=target)
    try:
        for start in range(0, len(content), _PIECE):
            parser.feed(content[start : start + _PIECE])
            if target.found is not None:
                return target.found.encode("utf-8", "replace")
            if time.monotonic() > until:
                raise _DamagedError(_LATE)
        parser.close()
    except DefusedXmlException as problem:
        raise _DamagedError("it defines entities, which figures never do") from problem
    except (ParseError, ValueError, LookupError) as problem:
        raise _DamagedError(str(problem)) from problem
    return None


class _Timed(io.BytesIO):
    """A file that can be read for LONGEST_SECONDS, which ends a parser that goes round."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.until = time.monotonic() + LONGEST_SECONDS

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.until

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; TimeoutError when the time is over."""
        if self.late:
            raise TimeoutError
        return super().read(size)


def _in_pdf(content: bytes) -> bytes | None:
    stream = _Timed(content)
    try:
        with _quiet():
            subject = (PdfReader(stream, strict=False).metadata or {}).get("/Subject")
            text = subject.get_object() if subject is not None else None
    except Exception as problem:  # pypdf lets out whatever a damaged file leads it to
        reason = str(problem)[:120] or type(problem).__name__
        raise _DamagedError(_LATE if stream.late else reason) from problem
    return text.encode("utf-8", "replace") if isinstance(text, str) else None


_QUIET = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pypdf from telling the terminal of every flaw; the one line says enough."""
    logger = logging.getLogger("pypdf")
    with _QUIET:
        before = logger.level
        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(before)
