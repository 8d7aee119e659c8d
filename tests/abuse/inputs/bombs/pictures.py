"""Pictures that claim, unfold or repeat far more than they weigh."""

import io
import struct
import zlib

from PIL import Image

from tests.abuse.inputs.bombs.parts import (
    MILLION,
    picture,
    png,
    png_chunk,
    png_header,
    zeros,
)

_FRAMES = 100_000


def profile_of_zeros() -> bytes:
    """A PNG whose colour profile unpacks to 1 GB."""
    body = b"icc\0\0" + zeros(2**30)
    return png(
        png_header(16, 16), png_chunk(b"iCCP", body), png_chunk(b"IDAT", zlib.compress(bytes(784)))
    )


def text_of_zeros() -> bytes:
    """A PNG with 40 texts of 256 MB each."""
    text = png_chunk(b"zTXt", b"k\0\0" + zeros(2**28))
    return png(png_header(16, 16), *[text] * 40, png_chunk(b"IDAT", zlib.compress(bytes(784))))


def many_chunks() -> bytes:
    """A PNG with 1,000,000 empty chunks before its pixels."""
    return png(png_header(16, 16), png_chunk(b"tEXt", b"") * MILLION)


def large_and_packed() -> bytes:
    """A PNG of 12,000 x 12,000 pixels of 16 bit, which is real: 864 MB of pixels in 0.9 MB."""
    return png(png_header(12_000, 12_000, 16), png_chunk(b"IDAT", zeros(12_000 * 72_001)))


def tiff_that_leads_back() -> bytes:
    """A TIFF whose second page is its first."""
    data = bytearray(picture(kind="TIFF"))
    start = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[start : start + 2], "little")
    data[start + 2 + 12 * entries : start + 6 + 12 * entries] = data[4:8]
    return bytes(data)


def tiff_of_many_pages() -> bytes:
    """A TIFF of 100,000 pages of 16 x 16 pixels, which all are the same ones."""
    parts, place = [b"II*\0" + struct.pack("<I", 8 + 256) + bytes(256)], 8 + 256
    for _ in range(_FRAMES):
        tags = (
            (256, 16), (257, 16), (258, 8), (259, 1), (262, 1), (273, 8), (278, 16), (279, 256),
        )  # fmt: skip
        place += 2 + 12 * len(tags) + 4
        page = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        parts.append(struct.pack("<H", len(tags)) + page + struct.pack("<I", place))
    return b"".join(parts)[:-4] + bytes(4)


def tiff_of_huge_tags() -> bytes:
    """A TIFF whose tags claim 4 billion values each."""
    tags = b"".join(struct.pack("<HHII", 256 + k, 4, 0xFFFFFFFF, 8) for k in range(200))
    return b"II*\0" + struct.pack("<IH", 8, 200) + tags + bytes(4)


def gif_of_many_frames() -> bytes:
    """A GIF of 100,000 frames of 16 x 16 pixels."""
    file = io.BytesIO()
    Image.new("P", (16, 16)).save(file, "GIF")
    content = file.getvalue()
    start = content.index(b"\x2c\0\0\0\0")
    frame = b"\x21\xf9\4\0\1\0\0\0" + content[start:-1]
    return content[:start] + frame * _FRAMES + b"\x3b"


def webp_of_many_frames() -> bytes:
    """A moving WebP of 100,000 frames of 16 x 16 pixels."""
    file = io.BytesIO()
    one, other = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    one.save(file, "WEBP", save_all=True, append_images=[other], duration=10)
    content = file.getvalue()
    start = content.index(b"ANMF")
    end = start + 8 + int.from_bytes(content[start + 4 : start + 8], "little")
    body = content[8:start] + content[start:end] * _FRAMES
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_of_many_frames() -> bytes:
    """A moving PNG of 100,000 frames of 16 x 16 pixels."""
    pixels, count = zlib.compress(bytes(16 * 49)), 0
    parts = [png_chunk(b"acTL", struct.pack(">II", _FRAMES, 0))]
    for number in range(_FRAMES):
        place = struct.pack(">IIIIIHHBB", count, 16, 16, 0, 0, 1, 100, 0, 0)
        parts.append(png_chunk(b"fcTL", place))
        count += 1
        if number:
            parts.append(png_chunk(b"fdAT", struct.pack(">I", count) + pixels))
            count += 1
        else:
            parts.append(png_chunk(b"IDAT", pixels))
    return png(png_header(16, 16), *parts)


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


def jpeg_of_many_exifs() -> bytes:
    """A JPEG with 1,000 segments of EXIF, 65 MB, each of which is joined to those before it."""
    content = picture(32, "JPEG")
    segment = b"\xff\xe1\xff\xffExif\0\0" + bytes(65527)
    return content[:2] + segment * 1000 + content[2:]


def jpeg_of_many_coefficients() -> bytes:
    """A progressive CMYK JPEG of 182 million pixels, whose decoder holds 1.5 GB."""
    file = io.BytesIO()
    Image.new("CMYK", (13_500, 13_500)).save(file, "JPEG", quality=1, progressive=True)
    return file.getvalue()


def webp_of_one_colour() -> bytes:
    """A WebP of 144 million pixels in 200 bytes, whose decoder holds four pictures, 2.3 GB."""
    file = io.BytesIO()
    Image.new("RGB", (12_000, 12_000)).save(file, "WEBP", lossless=True, method=0)
    return file.getvalue()


def png_of_opacity() -> bytes:
    """A PNG of 196 million grey pixels with an opacity each, which is real."""
    return png(png_header(14_000, 14_000, 8, 4), png_chunk(b"IDAT", zeros(14_000 * 28_001 + 2**20)))
