"""Zips that claim, unfold or repeat far more than they weigh."""

import zipfile

from tests.abuse.inputs.bombs.parts import (
    entry_of,
    picture,
    zeros,
    zip_of,
)


def zip_of_one_bomb() -> bytes:
    """A zip whose only frame claims to unpack to 4 GB."""
    return entry_of("f1.png", zeros(2**30), 2**32 - 1)


def zip_that_lies() -> bytes:
    """A zip whose frame claims 100 bytes and unpacks to 1 GB."""
    return entry_of("f1.png", zeros(2**30), 100)


def zip_of_overlaps() -> bytes:
    """A zip of 2,000 entries that are the same 200 MB."""
    return entry_of("f1.png", zeros(200 * 2**20), 200 * 2**20, 2000)


def zip_in_zip() -> bytes:
    """A zip in a zip, 100 deep."""
    inner = picture()
    for _ in range(100):
        inner = zip_of({"f.zip": inner, "f1.png": picture()})
    return inner


def zip_of_many() -> bytes:
    """A zip of 70,000 empty frames."""
    return zip_of({f"f{k}.png": b"" for k in range(70_000)}, zipfile.ZIP_STORED)


def zip_that_leads_out() -> bytes:
    """A zip whose frames lie outside of it."""
    return zip_of({"../../etc/f1.png": picture(), "/f2.png": picture(), "C:\\f3.png": picture()})
