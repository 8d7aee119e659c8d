"""Deep pictures: nothing comes out black, clipped or refused, and what was assumed is said."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from errors import MediaError
from tests.viz import drawn_clips as draw
from viz.media import footage, pictures
from viz.types import Sampling

RAMP = np.linspace(0, 1, 19 * 23).reshape(19, 23)
"""Black to white."""
EIGHT = np.rint(255 * RAMP)


def ramp(high, dtype=np.uint16, low=0):
    return (low + (high - low) * RAMP).astype(dtype)


def tiff(values, **tags):
    """Return a TIFF of values (H, W), with tags by number."""
    made = TiffImagePlugin.ImageFileDirectory_v2()
    for number, (kind, value) in tags.items():
        made.tagtype[int(number[1:])] = kind
        made[int(number[1:])] = value
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF", tiffinfo=made)
    return file.getvalue()


def colour(values, kind=".tiff"):
    return cv2.imencode(kind, values[..., ::-1] if values.ndim == 3 else values)[1].tobytes()


def shown(content, levels=None):
    clip = pictures.read(content, "deep.tif", levels)
    return clip.frames[0][..., 0].astype(float), " ".join(clip.notes)


SHORT, DOUBLE = 3, 12
DEEP = {
    "all 16 bits": (tiff(ramp(65535)), ""),
    "12 bits": (tiff(ramp(4095)), "taken as 12 bits: shown from 0 to 4095"),
    "14 bits": (tiff(ramp(16383)), "taken as 14 bits"),
    "10 bits": (tiff(ramp(1023)), "taken as 10 bits"),
    "8 bits": (tiff(ramp(255)), "taken as 8 bits"),
    "12 bits in a PNG": (draw.picture(ramp(4095)), "taken as 12 bits"),
    "its tags": (tiff(ramp(3000), t280=(SHORT, 0), t281=(SHORT, 3000)), "0 to 3000, as its tags"),
    "tags that say no more than the type": (tiff(ramp(4095), t281=(SHORT, 65535)), "12 bits"),
    "tags that are wrong": (tiff(ramp(4095), t281=(SHORT, 200)), "taken as 12 bits"),
    "int32": (tiff(ramp(70000, np.int32, -500)), "lowest to highest, -500 to 70000"),
    "int32 of 12 bits": (tiff(ramp(4095, np.int32)), "taken as 12 bits"),
    "float": (tiff(ramp(1, np.float32)), "floating-point values, shown from 0 to 1"),
    "float of any range": (tiff(ramp(3.5, np.float32, -2)), "lowest to highest, -2 to 3.5"),
    "float with tags": (
        tiff(ramp(2, np.float32), t340=(DOUBLE, 0.0), t341=(DOUBLE, 2.0)), "0 to 2, as its tags",
    ),
    "doubles": (colour(ramp(1, np.float64)), "floating-point values, shown from 0 to 1"),
    "12 bits in colour": (colour(np.repeat(ramp(4095)[..., None], 3, 2)), "taken as 12 bits"),
    "a PNG of 12 bits in colour": (
        colour(np.repeat(ramp(4095)[..., None], 3, 2), ".png"), "taken as 12 bits",
    ),
    "floats in colour": (colour(np.repeat(ramp(1, np.float32)[..., None], 3, 2)), "0 to 1"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "note"), DEEP.values(), ids=DEEP)
def test_a_deep_ramp_is_black_to_white_and_what_was_assumed_is_said(content, note):
    found, told = shown(content)
    np.testing.assert_allclose(found, EIGHT, atol=1)
    assert note in told
    assert ("--levels" in told) == bool(told)


@pytest.mark.parametrize("name", ["all 16 bits", "12 bits", "float", "int32", "12 bits in colour"])
def test_levels_that_are_asked_for_overrule_what_is_found(name):
    content, _note = DEEP[name]
    whole = pictures.read(content, "deep.tif").frames[0][..., 0]
    low, high = {"float": (0.25, 0.5), "int32": (0, 1000)}.get(name, (1000, 2000))
    found, told = shown(content, (low, high))
    assert "as asked" in told
    assert found.min() == 0
    assert found.max() == 255
    assert (np.diff(found.ravel()) >= 0).all()
    assert not np.array_equal(found, whole)


def test_the_colours_of_a_deep_picture_keep_their_order():
    values = np.zeros((19, 23, 3), np.uint16)
    values[...] = (4000, 2000, 1000)
    found = pictures.read(colour(values), "deep.tif").frames[0, 0, 0]
    assert found.tolist() == [249, 125, 62]


def test_white_is_zero_where_the_file_says_so():
    file = io.BytesIO(tiff(ramp(4095)))
    with Image.open(file) as picture:
        place = next(k for k in range(8, 200, 1) if file.getvalue()[k : k + 2] == b"\x06\x01")
        assert picture.tag_v2[262] == 1
    content = bytearray(file.getvalue())
    content[place + 8] = 0
    np.testing.assert_allclose(shown(bytes(content))[0], 255 - EIGHT, atol=1)


def test_no_number_is_black():
    values = ramp(1, np.float32)
    values[3, 5] = np.nan
    found, _told = shown(tiff(values))
    assert found[3, 5] == 0
    assert found.max() == 255


@pytest.mark.parametrize("levels", [(1, 1), (5, 2), (0, float("nan")), (1,), "no"])
def test_levels_that_are_none_are_refused(levels, one_line):
    with pytest.raises(MediaError, match="Levels") as caught:
        pictures.read(DEEP["12 bits"][0], "deep.tif", levels)
    one_line(caught.value)


def test_levels_of_what_has_8_bits_are_refused(tmp_path, one_line):
    files = {
        "a.png": draw.picture(draw.drawn(3)),
        "b.gif": draw.animation(draw.frames(3), duration=40),
        "c.mp4": draw.video(draw.frames(3)),
    }
    for name, content in files.items():
        with pytest.raises(MediaError, match="levels do not apply") as caught:
            footage.read(content, name, (0, 4095))
        one_line(caught.value)


def test_frames_of_a_set_are_shown_with_the_same_levels():
    dark, light = draw.picture(ramp(900)), draw.picture(ramp(4000))
    found = footage.read(draw.zipped({"f1.png": dark, "f2.png": light}), "frames.zip")
    clip = found.sample(Sampling(2, 1))
    assert clip.frames[0].max() == round(900 / 4095 * 255)
    assert clip.frames[1].max() == round(4000 / 4095 * 255)
    assert "0 to 4095, the widest levels" in clip.notes[0]
