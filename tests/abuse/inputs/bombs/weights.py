"""Weight files, and fonts, that claim, unfold or repeat far more than they weigh."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np

from tests.abuse.inputs.bombs.parts import (
    MILLION,
    entry_of,
    safetensors,
    zeros,
    zip_of,
)


def safetensors_of_many() -> bytes:
    """A safetensors file of 150,000 empty tensors."""
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return safetensors({f"t{k}": entry for k in range(150_000)})


def safetensors_of_deep_lists() -> bytes:
    """A safetensors header of lists 1,000,000 deep."""
    text = b'{"a":' + b"[" * MILLION
    return len(text).to_bytes(8, "little") + text


def safetensors_of_long_shapes() -> bytes:
    """Tensors of 100,000 axes of one each."""
    entry = {"dtype": "F32", "shape": [1] * 100_000, "data_offsets": [0, 4]}
    return safetensors({"a.weight": entry}, 4)


def safetensors_of_huge_sizes() -> bytes:
    """Sizes whose product is 0 after 2^64."""
    entry = {"dtype": "F32", "shape": [2**32, 2**32], "data_offsets": [0, 0]}
    return safetensors({"a.weight": entry})


def safetensors_named_twice() -> bytes:
    """One name twice, with two places."""
    one = '"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    text = f"{{{one}, {one}}}".encode()
    return len(text).to_bytes(8, "little") + text + bytes(4)


def torch_zip_of_zeros() -> bytes:
    """A torch file whose pickle unpacks to 1 GB."""
    return entry_of("x/data.pkl", zeros(2**30), 2**30)


def torch_zip_of_many() -> bytes:
    """A torch file of 65,000 storages without a pickle."""
    return zip_of({f"x/data/{k}": b"" for k in range(65_000)}, zipfile.ZIP_STORED)


def pickle_of_deep_tuples() -> bytes:
    """Tuples in tuples, 1,000,000 deep."""
    return b"\x80\x02)" + b"\x85" * MILLION + b"."


def pickle_of_one_long_number() -> bytes:
    """A number of 100 MB."""
    return (
        b"\x80\x02}X\1\0\0\0a\x8b" + struct.pack("<i", 100 * 2**20) + b"\1" * (100 * 2**20) + b"s."
    )


def pickle_of_decimal_digits() -> bytes:
    """A number written out in 5,000,000 digits."""
    return b"\x80\x02}X\1\0\0\0aI" + b"9" * (5 * MILLION) + b"\ns."


def pickle_of_a_huge_claim() -> bytes:
    """A text that claims 2^62 bytes."""
    return b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"}\x8d" + struct.pack("<Q", 2**62) + b"a"


def pickle_of_memos() -> bytes:
    """5,000,000 entries of the memo at places far apart."""
    puts = b"".join(b"r" + struct.pack("<I", k * 977) for k in range(MILLION))
    return b"\x80\x02N" + puts + b"."


def pickle_of_marks() -> bytes:
    """20,000,000 marks."""
    return b"\x80\x02" + b"(" * (20 * MILLION) + b"."


def pickle_that_doubles() -> bytes:
    """A list that holds itself twice, 60 times over."""
    inner: list = ["a"]
    for _ in range(60):
        inner = [inner, inner]
    return pickle.dumps({"model": inner}, protocol=2)


def array_of_huge_shape() -> bytes:
    """A numpy array whose shape was made 2^40."""
    return pickle.dumps({"a": np.zeros(1001, np.float32)}, protocol=2).replace(
        b"M\xe9\x03", b"J\xff\xff\xff\x7f"[:3]
    )


def hdf5() -> bytes:
    """The beginning of an HDF5 file."""
    return b"\x89HDF\r\n\x1a\n" + bytes(1000)


def zarr() -> bytes:
    """A zarr store as a zip."""
    meta = {"zarr_format": 2, "shape": [2**40], "chunks": [2**40], "dtype": "<f4"}
    return zip_of({".zgroup": b"{}", "w/.zarray": json.dumps(meta).encode(), "w/0": b"1"})


def npz() -> bytes:
    """A numpy archive of one array of objects."""
    file = io.BytesIO()
    np.savez(file, a=np.array([{}], object))
    return file.getvalue()


def font_that_claims_much() -> bytes:
    """A TrueType font of 65,535 tables without any."""
    return b"\0\1\0\0" + struct.pack(">HHHH", 65535, 0, 0, 0) + bytes(16 * 1000)


def font_of_far_tables() -> bytes:
    """A TrueType font whose tables lie at the end of 4 GB."""
    tables = b"".join(
        tag + struct.pack(">III", 0, 0xFFFFFFF0, 0xFFFFFFF0)
        for tag in (b"cmap", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"name", b"OS/2")
    )
    return b"\0\1\0\0" + struct.pack(">HHHH", 9, 128, 3, 16) + tables
