"""Which container a file is, by its content; whatever is no weight file is refused by name."""

import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from errors import CheckpointError

MAX_BYTES = 2 * 2**30
"""Size of a file that is opened at all."""
MAX_TENSOR_BYTES = 8 * 2**30
"""Bytes that the tensors of one file may take in memory."""
MAX_GROWTH, SMALL_BYTES = 4, 64 * 2**20
"""Tensors that share their bytes, as tied weights do, may take so many times the file's size, and
small files this much."""
MAX_HEADER_BYTES = 16 * 2**20
MAX_DIRECTORY_BYTES = 16 * 2**20
MAX_PICKLE_BYTES = 256 * 2**20
MAX_RATIO = 100
"""Uncompressed over compressed size of a zip member; weights compress by 2 at the most."""

SAFETENSORS, ZIP, LEGACY, PICKLE = "safetensors", "torch zip", "torch legacy", "Caffe2 pickle"
CONTAINERS = (SAFETENSORS, ZIP, LEGACY, PICKLE)

ACCEPTED = "safetensors, torch (.pth, .pt, .pth.tar, .pyth) and Caffe2 (.pkl) weight files are read"
UNPACK = "is an archive ({}); unpack it and give the .pth inside."

_HEAD = 4096
_LEGACY_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""0x1950a86a20f9469cfc6c as a pickle ends it, from protocol 2 on."""
_LEGACY_TEXT = b"L119547037146038801333356L\n."
"""The same number in protocols 0 and 1."""


def most_tensor_bytes(size: int) -> int:
    """Return how many bytes the tensors of a file of ``size`` bytes may take in memory."""
    return min(MAX_TENSOR_BYTES, SMALL_BYTES + MAX_GROWTH * size)


def check_made(made: int, size: int) -> None:
    """Refuse tensors of ``made`` bytes together in a file of ``size`` bytes that cannot hold them:
    strides of 0 and many tensors in one storage make much of little."""
    if made > most_tensor_bytes(size):
        raise CheckpointError(
            f"declares tensors of {min(made, 2**80) / 2**30:,.1f} GB in a file of {size:,} bytes; "
            f"up to {most_tensor_bytes(size) / 2**30:,.1f} GB are made of it. Save the state dict "
            "again, each tensor with its own data."
        )


def _at(offset: int, magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic, offset)


_RULES: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_at(8, b"{"), SAFETENSORS),
    (_at(0, b"PK"), ZIP),
    (lambda head: _LEGACY_MAGIC in head[:32], LEGACY),
    (_at(0, _LEGACY_TEXT), LEGACY),
    (_at(0, b"\x1f\x8b"), UNPACK.format("gzip")),
    (_at(0, b"BZh"), UNPACK.format("bzip2")),
    (_at(0, b"\xfd7zXZ"), UNPACK.format("xz")),
    (_at(0, b"7z\xbc\xaf"), UNPACK.format("7z")),
    (_at(0, b"Rar!"), UNPACK.format("rar")),
    (_at(257, b"ustar"), UNPACK.format("tar")),
    (_at(0, b"\x89HDF"), "is an HDF5 file (Keras, MatConvNet); convert it to safetensors."),
    (_at(0, b"\x93NUMPY"), "is a single numpy array; give the file that holds all weights."),
    (_at(0, b"\x12\x01\0\0\0\0\0\0\0"), "is an MXNet .params file; convert it to safetensors."),
    (_at(0, b"version https://git-lfs"), "is a Git LFS pointer, not weights; run git lfs pull."),
    (_at(0, b"\x89PNG"), f"is a picture; {ACCEPTED}."),
    (_at(0, b"\xff\xd8\xff"), f"is a picture; {ACCEPTED}."),
    (_at(4, b"TFL3"), "is a TensorFlow Lite program; give the state dict it was made from."),
    (
        lambda head: head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"),
        "is a web page (HTML or XML), not weights: the link led to a notice, as Google Drive gives "
        "for large files. Open the link in a browser and download the file itself.",
    ),
    (
        lambda head: head[0] == 8 and head[2:3] in (b"\x12", b"\x1a", b"\x3a"),
        "is an ONNX program; give the state dict it was made from.",
    ),
    (lambda head: head[0] in b"\x80(}]c", PICKLE),
    (_at(4, b"\0\0\0\0"), SAFETENSORS),
    (lambda _: True, f"is not a weight file; {ACCEPTED}."),
)
"""What the first bytes look like -> the container, or what to say of the file; in order."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a regular file of allowed size; yields (file, bytes), CheckpointError if there is
    none."""
    try:
        entry = path.stat()
        if not stat.S_ISREG(entry.st_mode):
            kind = "a folder" if stat.S_ISDIR(entry.st_mode) else "no regular file"
            raise CheckpointError(f"is {kind}; give the path of a weight file.")
        file = path.open("rb")
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        reason = getattr(problem, "strerror", None) or problem
        raise CheckpointError(f"could not be read ({reason}); check the path.") from problem
    with file:
        if not entry.st_size:
            raise CheckpointError("is empty (0 bytes); fetch it again.")
        if entry.st_size > MAX_BYTES:
            raise CheckpointError(
                f"has {entry.st_size / 2**30:.1f} GB; up to {MAX_BYTES / 2**30:.0f} GB is read. "
                "Save the state dict alone, without the optimizer."
            )
        yield file, entry.st_size


def sniff(file: BinaryIO, size: int) -> str:
    """Return SAFETENSORS, ZIP, LEGACY or PICKLE; CheckpointError names what else it is."""
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    verdict = next(words for looks_so, words in _RULES if looks_so(head))
    if verdict not in CONTAINERS:
        raise CheckpointError(verdict)
    if verdict == SAFETENSORS:
        _check_safetensors_header(head, size)
    return verdict


def _check_safetensors_header(head: bytes, size: int) -> None:
    claimed = int.from_bytes(head[:8], "little")
    if claimed > min(MAX_HEADER_BYTES, size - 8):
        raise CheckpointError(
            f"claims a safetensors header of {claimed:,} bytes in a file of {size:,} (at most "
            f"{MAX_HEADER_BYTES:,} are read); it is cut off or no weight file. Fetch it again."
        )


def directory(file: BinaryIO, size: int) -> zipfile.ZipFile:
    """Return the zip of a torch file, checked against bombs; CheckpointError says what else it
    is."""
    _check_directory(file, size)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, LookupError, OSError, struct.error) as problem:
        raise _cut_off(problem) from problem
    except NotImplementedError as problem:
        raise CheckpointError(f"is a zip of an unknown kind ({problem}).") from problem
    _check_members(archive.infolist(), size)
    return archive


def _check_directory(file: BinaryIO, size: int) -> None:
    """Look at the size of the table of contents before it is read as a whole."""
    start = max(0, size - 2**16 - 128)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22:
        raise _cut_off("its table of contents is missing")
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    wide = tail.rfind(b"PK\6\6", 0, end)
    if wide >= 0:  # zip64, as torch writes it
        length = int.from_bytes(tail[wide + 40 : wide + 48], "little")
    if length > min(size, MAX_DIRECTORY_BYTES):
        raise _cut_off(f"its table of contents claims {length:,} bytes")


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    _check_contents([member.filename for member in members])
    _check_names(members)
    _check_sizes(members, size)


def _check_contents(names: list[str]) -> None:
    """Refuse archives of anything else than one network's state, saying what they are."""
    endings = [name.partition("/")[2] for name in names]
    if any(map(_is_program, endings)):
        raise CheckpointError("is a TorchScript program; give the state dict it was made from.")
    if names and all(name.endswith(".npy") for name in names):
        raise CheckpointError("is a numpy .npz file; save its arrays as safetensors.")
    if endings.count("data.pkl") != 1:
        listed = ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")
        raise CheckpointError(UNPACK.format(f"zip of {listed or 'nothing'}"))


def _is_program(ending: str) -> bool:
    return ending == "constants.pkl" or ending.startswith("code/")


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    """Refuse files that torch and Python may take for one another."""
    seen = set()
    for member in members:
        # torch looks names up whatever their case, and to the end; Python stops at a null character
        name = member.filename.lower()
        if name in seen or member.orig_filename != member.filename:
            raise CheckpointError("is a zip with two files of one name; refused. Fetch it again.")
        seen.add(name)


def _check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse members that claim to unpack to far more than a file of ``size`` bytes holds."""
    total, stored, bomb = 0, 0, False
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CheckpointError("is a zip of a kind that torch never writes; save it again.")
        total += member.file_size
        if member.compress_type == zipfile.ZIP_STORED:
            stored += member.file_size
        if member.file_size > 2**20 + MAX_RATIO * member.compress_size:
            bomb = True
    if bomb or total > MAX_TENSOR_BYTES or stored > size:
        raise CheckpointError(
            f"is a zip bomb: {size:,} bytes claim to unpack to {total:,}; refused."
        )


def _cut_off(reason: object) -> CheckpointError:
    return CheckpointError(
        f"is a torch file that is cut off or damaged ({reason}); fetch it again."
    )
