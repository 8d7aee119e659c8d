"""ICC profiles: colours come out as sRGB, whatever the file's own space."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from viz.media import pictures


def profile(matrix_of: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(matrix_of)).tobytes()


def swapped() -> bytes:
    """Return sRGB's profile with its red and green primaries exchanged."""
    content = profile("sRGB")
    return content.replace(b"rXYZ", b"tmp.").replace(b"gXYZ", b"rXYZ").replace(b"tmp.", b"gXYZ")


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_colours_are_converted_and_that_is_said(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = Image.new("RGB", (20, 17), (200, 30, 60))
    clip = pictures.read(encoded(picture, kind, icc_profile=swapped(), **options), "p3")
    np.testing.assert_allclose(clip.frames[0, 3, 5], (30, 200, 60), atol=4)
    assert "to sRGB" in clip.notes[0]


def test_what_is_srgb_already_stays_as_it_is():
    pixels = np.random.default_rng(5).integers(0, 256, (19, 23, 3), dtype=np.uint8)
    clip = pictures.read(encoded(Image.fromarray(pixels), "PNG", icc_profile=profile("sRGB")), "x")
    assert np.array_equal(clip.frames[0], pixels)
    assert clip.notes == ()


def test_transparency_lies_on_the_white_of_srgb():
    picture = Image.new("RGBA", (20, 17), (200, 30, 60, 51))
    clip = pictures.read(encoded(picture, "PNG", icc_profile=swapped()), "x")
    np.testing.assert_allclose(clip.frames[0, 0, 0], (210, 244, 216), atol=2)


@pytest.mark.parametrize("content", [b"no profile", swapped()[:200], profile("LAB")])
def test_a_profile_that_does_not_fit_is_left_out_and_that_is_said(content):
    picture = Image.new("RGB", (20, 17), (200, 30, 60))
    clip = pictures.read(encoded(picture, "PNG", icc_profile=content), "x")
    assert clip.frames[0, 0, 0].tolist() == [200, 30, 60]
    assert "left out" in clip.notes[0]


def test_a_deep_picture_has_its_colours_converted_too(sixteen_bit_png):
    deep = np.full((19, 23, 3), (51400, 7710, 65535), np.uint16)
    content = sixteen_bit_png(deep)
    place = 8 + 25  # behind the header
    packed = encoded(Image.new("RGB", (20, 17)), "PNG", icc_profile=swapped())
    start = packed.index(b"iCCP") - 4
    chunk = packed[start : start + 12 + int.from_bytes(packed[start : start + 4], "big")]
    clip = pictures.read(content[:place] + chunk + content[place:], "x.png")
    np.testing.assert_allclose(clip.frames[0, 0, 0], (30, 200, 255), atol=4)
