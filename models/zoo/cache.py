"""The folder of downloaded checkpoints: one folder a row, with the file and its record.

``$NONLOCAL_VIZ_CACHE``, or ~/.cache/nonlocal-viz, holds ID/FILE and ID/record.json (sha256 and
bytes at the first download; the network's spec once it was read).
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from errors import MachineError, SpecError
from models.specs.network import NetworkSpec
from models.specs.spec_files import spec_from_dict, spec_to_dict
from models.zoo.published_row import Published

VARIABLE = "NONLOCAL_VIZ_CACHE"
_RECORD = "record.json"
_BLOCK = 2**20
_FORGOTTEN_S = 3600


def folder() -> Path:
    """Return the folder that downloads go to; it may not exist yet."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "nonlocal-viz"


def file_of(row: Published) -> Path:
    """Return where the file of a row is, or would be."""
    return folder() / row.id / row.source.file_name


def is_cached(row: Published) -> bool:
    """Tell whether the file is on this machine."""
    return file_of(row).is_file()


def record(row: Published) -> dict:
    """Return what was noted of a row; empty when nothing was, or when it cannot be read."""
    try:
        noted = json.loads((folder() / row.id / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def note(row: Published, facts: Mapping[str, object]) -> None:
    """Add ``facts`` to the record of a row; whole or not at all."""
    place = folder() / row.id / _RECORD
    for left in place.parent.glob(f"{place.stem}.*.part"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN_S:  # of a process that was killed
            left.unlink(missing_ok=True)
    part = place.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(record(row) | dict(facts), indent=1), encoding="utf-8")
    part.replace(place)


def note_spec(row: Published, spec: NetworkSpec) -> None:
    """Note the spec of a downloaded network, so that lists need not read its file again."""
    plain = spec_to_dict(spec)
    if record(row).get("spec") != json.loads(json.dumps(plain)):
        try:
            note(row, {"spec": plain})
        except OSError:
            return  # a cache that can only be read is used as it is


def spec_of(row: Published) -> NetworkSpec | None:
    """Return the noted spec of a network on this machine, or None."""
    plain = record(row).get("spec")
    if plain is None or not is_cached(row):
        return None
    try:
        return spec_from_dict(plain)
    except SpecError:  # written by another version
        return None


def check(row: Published, path: Path) -> str:
    """Return the sha256 of a file; MachineError when it is not what was published or downloaded."""
    digest = sha256(path)
    expected = row.source.sha256 or record(row).get("sha256", digest)
    if not digest.startswith(str(expected)):
        raise MachineError(
            f"{row.id}: {path} has sha256 {digest[:16]}..., {str(expected)[:16]} was expected; it "
            "arrived damaged or was changed. Remove it and download it again."
        )
    return digest


def remove(row: Published) -> None:
    """Delete the file of a row and what was noted of it."""
    try:
        if (place := folder() / row.id).exists():
            shutil.rmtree(place)
    except OSError as problem:
        raise MachineError(
            f"{folder() / row.id} could not be removed ({problem.strerror}); check who may write "
            "there."
        ) from problem


def sha256(path: Path) -> str:
    """Return the sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
