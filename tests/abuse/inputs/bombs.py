"""Files of every kind that claim, unfold or repeat far more than they weigh, made for the tests."""

import base64
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

MILLION = 10**6


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(header: bytes, *chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + _chunk(b"IEND", b"")


def _header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


@cache
def _zeros(count: int) -> bytes:
    """Return ``count`` zeros, packed."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(count // 2**20)) + packer.flush()


def _picture(side: int = 16, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 90)).save(file, kind, **options)
    return file.getvalue()


def _zip(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


# Pictures


def profile_of_zeros() -> bytes:
    """A PNG whose colour profile unpacks to 1 GB."""
    body = b"icc\0\0" + _zeros(2**30)
    return _png(_header(16, 16), _chunk(b"iCCP", body), _chunk(b"IDAT", zlib.compress(bytes(784))))


def text_of_zeros() -> bytes:
    """A PNG with 40 texts of 256 MB each."""
    text = _chunk(b"zTXt", b"k\0\0" + _zeros(2**28))
    return _png(_header(16, 16), *[text] * 40, _chunk(b"IDAT", zlib.compress(bytes(784))))


def many_chunks() -> bytes:
    """A PNG with 1,000,000 empty chunks before its pixels."""
    return _png(_header(16, 16), _chunk(b"tEXt", b"") * MILLION)


def large_and_packed() -> bytes:
    """A PNG of 12,000 x 12,000 pixels of 16 bit, which is real: 864 MB of pixels in 0.9 MB."""
    return _png(_header(12_000, 12_000, 16), _chunk(b"IDAT", _zeros(12_000 * 72_001)))


def tiff_that_leads_back() -> bytes:
    """A TIFF whose second page is its first."""
    data = bytearray(_picture(kind="TIFF"))
    start = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[start : start + 2], "little")
    data[start + 2 + 12 * entries : start + 6 + 12 * entries] = data[4:8]
    return bytes(data)


def tiff_of_many_pages() -> bytes:
    """A TIFF of 20,000 pages of one pixel."""
    parts, place = [b"II*\0" + struct.pack("<I", 10) + b"\xff\0"], 10
    for _ in range(20_000):
        tags = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1))
        place += 2 + 12 * len(tags) + 4
        page = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        parts.append(struct.pack("<H", len(tags)) + page + struct.pack("<I", place))
    return b"".join(parts)[:-4] + bytes(4)


def tiff_of_huge_tags() -> bytes:
    """A TIFF whose tags claim 4 billion values each."""
    tags = b"".join(struct.pack("<HHII", 256 + k, 4, 0xFFFFFFFF, 8) for k in range(200))
    return b"II*\0" + struct.pack("<IH", 8, 200) + tags + bytes(4)


def gif_of_many_frames() -> bytes:
    """A GIF of 100,000 frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\4\0\1\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2D\1\0"
    return head + frame * 100_000 + b"\x3b"


def gif_of_a_large_canvas() -> bytes:
    """A GIF of 65,535 x 65,535 pixels with 500 frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\4\0\1\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2D\1\0"
    return head + frame * 500 + b"\x3b"


def bmp_that_claims_much() -> bytes:
    """A BMP of 2 billion x 1 pixels."""
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 200, 0, 0, 54, 40, 2**31 - 1, 1, 1, 24, *[0] * 6)


def ppm_that_claims_much() -> bytes:
    """A PPM of 10 digits a side."""
    return b"P6 9999999999 9999999999 255\n" + bytes(100)


def webp_of_a_large_canvas() -> bytes:
    """A moving WebP of 16,384 x 16,384 pixels with frames of one pixel."""
    file = io.BytesIO()
    one = Image.new("RGBA", (8, 8))
    one.save(file, "WEBP", save_all=True, append_images=[one] * 300, duration=10)
    data = bytearray(file.getvalue())
    place = data.find(b"VP8X") + 12
    if place > 11:
        data[place : place + 6] = b"\xff\x3f\0\xff\x3f\0"
    return bytes(data)


# Archives


def zip_of_one_bomb() -> bytes:
    """A zip whose only frame claims to unpack to 4 GB."""
    return _packed("f1.png", _zeros(2**30), 2**32 - 1)


def zip_that_lies() -> bytes:
    """A zip whose frame claims 100 bytes and unpacks to 1 GB."""
    return _packed("f1.png", _zeros(2**30), 100)


def _packed(name: str, body: bytes, claimed: int, copies: int = 1) -> bytes:
    """Return a zip whose entries, of names of their own, all have the same packed bytes."""
    raw = body[2:-4] if body[:1] == b"\x78" else body
    first = name.encode()
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(raw), claimed,
                        len(first), 0) + first + raw  # fmt: skip
    names = [name.replace("1", str(k)).encode() for k in range(1, copies + 1)]
    entries = b"".join(
        struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(raw), claimed,
                    len(one), 0, 0, 0, 0, 0, 0) + one
        for one in names
    )  # fmt: skip
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, copies, copies, len(entries), len(local), 0)
    return local + entries + end


def zip_of_overlaps() -> bytes:
    """A zip of 2,000 entries that are the same 200 MB."""
    return _packed("f1.png", _zeros(200 * 2**20), 200 * 2**20, 2000)


def zip_in_zip() -> bytes:
    """A zip in a zip, 100 deep."""
    inner = _picture()
    for _ in range(100):
        inner = _zip({"f.zip": inner, "f1.png": _picture()})
    return inner


def zip_of_many() -> bytes:
    """A zip of 70,000 empty frames."""
    return _zip({f"f{k}.png": b"" for k in range(70_000)}, zipfile.ZIP_STORED)


def zip_that_leads_out() -> bytes:
    """A zip whose frames lie outside of it."""
    return _zip({"../../etc/f1.png": _picture(), "/f2.png": _picture(), "C:\\f3.png": _picture()})


# Recipes


def pdf_of_zeros() -> bytes:
    """A PDF whose cross references unpack to 1 GB."""
    stream = _zeros(2**30)
    body = b"%PDF-1.5\n1 0 obj<</Type/XRef/Size 9/W[1 8 8]/Filter/FlateDecode/Root 2 0 R/Info 3 0 R"
    return (
        body + b"/Length " + str(len(stream)).encode() + b">>stream\n" + stream
        + b"\nendstream endobj\nstartxref\n9\n%%EOF"
    )  # fmt: skip


def pdf_that_leads_round() -> bytes:
    """A PDF whose cross references are before themselves."""
    return (
        b"%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Prev 9/Root 1 0 R>>\n"
        b"startxref\n9\n%%EOF"
    )


def pdf_of_deep_lists() -> bytes:
    """A PDF with lists 100,000 deep in its information."""
    return (
        b"%PDF-1.4\n1 0 obj" + b"[" * 100_000 + b"]" * 100_000 + b"endobj\n"
        b"trailer<</Info 1 0 R/Root 1 0 R/Size 2>>\nstartxref\n0\n%%EOF"
    )


def svg_of_many_attributes() -> bytes:
    """An SVG element of 500,000 attributes."""
    many = b" ".join(b'a%d="1"' % k for k in range(500_000))
    return b"<svg " + many + b"></svg>"


def svg_of_laughs() -> bytes:
    """An SVG of entities that unfold to 10^9."""
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (k, b"&a%d;" % (k - 1) * 10) for k in range(1, 10)
    )
    return b"<!DOCTYPE svg [" + entities + b"]><svg>&a9;</svg>"


def svg_of_one_long_name() -> bytes:
    """An SVG whose element's name has 40 MB."""
    return b"<svg><" + b"a" * (40 * 2**20) + b"/></svg>"


def eps_of_zeros() -> bytes:
    """An EPS whose recipe unpacks to 1 GB."""
    text = base64.b64encode(_zeros(2**30))
    lines = b"\n".join(b"% " + text[k : k + 76] for k in range(0, len(text), 76))
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BeginRecipe\n" + lines + b"\n%%EndRecipe\n"


def json_of_many_lists() -> bytes:
    """4 MB of lists in lists."""
    return b"[" * (4 * 2**20)


def json_of_many_names() -> bytes:
    """A JSON object of 200,000 names."""
    return json.dumps({f"k{k}": k for k in range(200_000)}).encode()


def json_of_surrogates() -> bytes:
    """A JSON list of points whose names are halves of characters."""
    return b'[{"name": "\\ud800", "x": 1, "y": 2}, {"name": "\\udfff\\ud800", "x": 1, "y": 2}]'


# Key points


def csv_of_one_cell() -> bytes:
    """A CSV whose quoted cell never ends, 15 MB."""
    return b'name,x,y\n"' + b"a,\n" * (5 * 2**20)


def csv_of_many_columns() -> bytes:
    """A CSV of 5,000,000 columns."""
    return b"name,x,y" + b"," * (5 * MILLION) + b"\na,1,2\n"


def csv_of_many_lines() -> bytes:
    """A CSV of 2,000,000 empty lines, then a point."""
    return b"name,x,y\n" + b"\n" * (2 * MILLION) + b"a,1,2\n"


# Weights


def safetensors_of_many() -> bytes:
    """A safetensors file of 150,000 empty tensors."""
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return _safetensors({f"t{k}": entry for k in range(150_000)})


def safetensors_of_deep_lists() -> bytes:
    """A safetensors header of lists 1,000,000 deep."""
    text = b'{"a":' + b"[" * MILLION
    return len(text).to_bytes(8, "little") + text


def safetensors_of_long_shapes() -> bytes:
    """Tensors of 100,000 axes of one each."""
    entry = {"dtype": "F32", "shape": [1] * 100_000, "data_offsets": [0, 4]}
    return _safetensors({"a.weight": entry}, 4)


def safetensors_of_huge_sizes() -> bytes:
    """Sizes whose product is 0 after 2^64."""
    entry = {"dtype": "F32", "shape": [2**32, 2**32], "data_offsets": [0, 0]}
    return _safetensors({"a.weight": entry})


def safetensors_named_twice() -> bytes:
    """One name twice, with two places."""
    one = '"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    text = f"{{{one}, {one}}}".encode()
    return len(text).to_bytes(8, "little") + text + bytes(4)


def _safetensors(header: dict, size: int = 0) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


def torch_zip_of_zeros() -> bytes:
    """A torch file whose pickle unpacks to 1 GB."""
    return _packed("x/data.pkl", _zeros(2**30), 2**30)


def torch_zip_of_many() -> bytes:
    """A torch file of 65,000 storages without a pickle."""
    return _zip({f"x/data/{k}": b"" for k in range(65_000)}, zipfile.ZIP_STORED)


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
    return _zip({".zgroup": b"{}", "w/.zarray": json.dumps(meta).encode(), "w/0": b"1"})


def npz() -> bytes:
    """A numpy archive of one array of objects."""
    file = io.BytesIO()
    np.savez(file, a=np.array([{}], object))
    return file.getvalue()


# Fonts


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


Maker = Callable[[], bytes]
PICTURES: tuple[Maker, ...] = (
    profile_of_zeros, text_of_zeros, many_chunks, large_and_packed, tiff_that_leads_back,
    tiff_of_many_pages, tiff_of_huge_tags, gif_of_many_frames, gif_of_a_large_canvas,
    bmp_that_claims_much, ppm_that_claims_much, webp_of_a_large_canvas, zip_of_one_bomb,
    zip_that_lies, zip_of_overlaps, zip_in_zip, zip_of_many, zip_that_leads_out,
)  # fmt: skip
DATA_SETS: tuple[Maker, ...] = (
    zip_of_one_bomb,
    zip_that_lies,
    zip_of_overlaps,
    zip_in_zip,
    zip_of_many,
    zip_that_leads_out,
)
RECIPES: tuple[Maker, ...] = (
    text_of_zeros, many_chunks, tiff_that_leads_back, tiff_of_huge_tags, pdf_of_zeros,
    pdf_that_leads_round, pdf_of_deep_lists, svg_of_many_attributes, svg_of_laughs,
    svg_of_one_long_name, eps_of_zeros, json_of_many_lists, json_of_many_names,
)  # fmt: skip
POINTS: tuple[Maker, ...] = (
    json_of_many_lists, json_of_many_names, json_of_surrogates, csv_of_one_cell,
    csv_of_many_columns, csv_of_many_lines, hdf5, npz,
)  # fmt: skip
WEIGHTS: tuple[Maker, ...] = (
    safetensors_of_many, safetensors_of_deep_lists, safetensors_of_long_shapes,
    safetensors_of_huge_sizes, safetensors_named_twice, torch_zip_of_zeros, torch_zip_of_many,
    pickle_of_deep_tuples, pickle_of_one_long_number, pickle_of_decimal_digits,
    pickle_of_a_huge_claim, pickle_of_memos, pickle_of_marks, pickle_that_doubles,
    array_of_huge_shape, hdf5, zarr, npz, zip_of_overlaps, zip_in_zip,
)  # fmt: skip
FONTS: tuple[Maker, ...] = (font_that_claims_much, font_of_far_tables)
