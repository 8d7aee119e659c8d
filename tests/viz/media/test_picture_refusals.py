"""Pictures that are refused: one line each, fast, and nothing decoded that need not be."""

import io
import os
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageFile

from errors import InputError, MediaError
from viz.media import pictures


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def refused(content, one_line, name="bird.png"):
    with pytest.raises(MediaError) as caught:
        pictures.read(content, name)
    text = one_line(caught.value)
    assert name in text
    return text


def noise(height=64, width=96):
    pixels = np.random.default_rng(41).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'
NOT_PICTURES = {
    "text": b"hello, this is not a picture\n" * 9,
    "html": b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
    "svg": SVG,
    "pdf": b"%PDF-1.7\n" + b"0" * 99,
    "zip": b"PK\x03\x04" + b"\x00" * 99,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n",
    "zeros": bytes(4096),
    "png signature alone": b"\x89PNG\r\n\x1a\n",
    "jpeg signature alone": b"\xff\xd8\xff\xe0",
    "gif signature alone": b"GIF89a",
    "ppm, which is not on the list": b"P6 32 32 255\n" + bytes(32 * 32 * 3),
}


@pytest.mark.parametrize("content", NOT_PICTURES.values(), ids=NOT_PICTURES)
def test_what_is_not_a_picture_is_refused_with_the_formats_that_are(content, one_line):
    assert "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF" in refused(content, one_line)


def test_an_empty_file_says_so(one_line):
    assert "0 bytes" in refused(b"", one_line)


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_truncated_file_is_refused(kind, keep, one_line):
    content = encoded(noise(), kind)
    refused(content[: int(len(content) * keep)], one_line)


def test_pillow_is_not_told_to_make_up_what_is_missing():
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_flipped_bytes_give_a_picture_or_one_line_and_never_another_error(one_line):
    generator = np.random.default_rng(43)
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"):
        content = np.frombuffer(encoded(noise(24, 32), kind), np.uint8)
        for _attempt in range(25):
            broken = content.copy()
            at = generator.integers(0, len(broken), 6)
            broken[at] = generator.integers(0, 256, 6)
            try:
                clip = pictures.read(broken.tobytes(), "x")
            except MediaError as problem:
                one_line(problem)
            else:
                assert clip.frames.shape[3] == 3


@pytest.mark.parametrize(
    "size", [(30_000, 30_000), (16_000, 13_000), (20_100, 10_000), (2**31 - 1, 2**31 - 1)], ids=str
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size, png_bytes, one_line):
    content = png_bytes(*size, 8, 2, b"\x78\x9c")
    tracemalloc.start()
    started = time.perf_counter()
    text = refused(content, one_line)
    took = time.perf_counter() - started
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "200 million" in text
    assert took < 1
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 5000), (5000, 1), (15, 40), (16, 513), (600, 16)], ids=str
)
def test_a_picture_too_small_or_too_long_is_refused_with_the_limits(size, one_line):
    text = refused(encoded(Image.new("RGB", size)), one_line)
    assert f"{size[0]} x {size[1]}" in text
    assert "at least 16 px" in text
    assert "32 times" in text


def test_a_file_of_257_megabytes_is_refused_with_the_limit(one_line):
    text = refused(bytes(257 * 2**20), one_line)
    assert "257 MB" in text
    assert "256 MB" in text


def test_a_path_of_257_megabytes_is_refused_without_reading_it(tmp_path, one_line):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(257 * 2**20)
    tracemalloc.start()
    with pytest.raises(MediaError, match="257 MB") as caught:
        pictures.load(path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_line(caught.value)
    assert peak < 2**20


@pytest.mark.parametrize(
    "name", ["a\nb.png", "<b>x</b>.png", "../../x.png", "\x1b[2J.png", "n" * 400, "\udc80.png"]
)
def test_a_nasty_name_stays_one_plain_line_in_the_refusal(name, one_line):
    with pytest.raises(MediaError) as caught:
        pictures.read(b"", name)
    text = one_line(caught.value)
    assert ".." not in text
    assert "/" not in text.replace("</b>", "")


def test_a_path_that_is_missing_a_folder_or_no_file_is_refused(tmp_path, one_line):
    paths = [tmp_path / "missing.png", tmp_path, tmp_path / "null\x00.png", tmp_path / ("x" * 999)]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        paths.append(tmp_path / "pipe.png")
    for path in paths:
        with pytest.raises(MediaError, match="could not be read") as caught:
            pictures.load(path)
        one_line(caught.value)
        assert str(tmp_path) not in str(caught.value)
    assert issubclass(MediaError, InputError)
