"""Large photos and clips: halved while decoded, in pixels of the file; memory stays bounded."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.viz import drawn_clips as draw
from viz.media import footage, limits, pictures
from viz.types import Sampling

KINDS = {
    "JPEG": {"quality": 95}, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True, "method": 0},
    "BMP": {}, "GIF": {},
}  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    """Photos above 1000 pixels are large."""
    monkeypatch.setattr(limits, "MAX_SHOWN", 1000)


def photo(width, height):
    """Return a picture whose upper left quarter is red."""
    pixels = np.full((height, width, 3), (20, 60, 90), np.uint8)
    pixels[: height // 2, : width // 2] = (230, 20, 20)
    return pixels


@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_a_large_photo_is_halved_and_keeps_its_coordinates(kind, turn, small):
    exif = Image.Exif()
    exif[0x0112] = turn
    options = KINDS[kind] | ({"exif": exif} if kind not in ("BMP", "GIF") else {})
    content = draw.picture(photo(101, 67), kind, **options)
    clip = pictures.read(content, "large", None, 1000)
    turned = turn == 6 and "exif" in options
    assert (clip.width, clip.height) == ((67, 101) if turned else (101, 67))
    assert clip.frames.shape == ((1, 26, 17, 3) if turned else (1, 17, 26, 3))
    corner = clip.frames[0, 2, -3] if turned else clip.frames[0, 2, 2]
    np.testing.assert_allclose(corner, (230, 20, 20), atol=25)
    np.testing.assert_allclose(clip.frames[0, -3, 3], (20, 60, 90), atol=25)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "CMYK", "I;16"])
def test_every_mode_of_a_large_photo_is_halved(mode):
    picture = Image.fromarray(photo(101, 67))
    if mode == "I;16":
        picture = Image.fromarray(np.full((67, 101), 40000, np.uint16))
    else:
        picture = picture.convert(mode, dither=Image.Dither.NONE)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    clip = pictures.read(encoded(picture, kind), "large", None, 1000)
    whole = pictures.read(encoded(picture, kind), "large")
    assert clip.frames.shape == (1, 17, 26, 3)
    np.testing.assert_allclose(clip.frames[0, 2, 20], whole.frames[0, 10, 80], atol=20)


def encoded(picture, kind):
    import io

    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def test_what_is_not_large_stays_pixel_for_pixel():
    pixels = photo(101, 67)
    clip = pictures.read(draw.picture(pixels), "photo")
    assert np.array_equal(clip.frames[0], pixels)
    assert clip.size is None


MEASURED = """
import io, resource, sys
from PIL import Image
from viz.media import footage, limits, pictures
kind, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
Image.MAX_IMAGE_PIXELS = None
content = open(sys.argv[4], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
clip = footage.read(content, "large").take((0,))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert (clip.width, clip.height) == (width, height)
assert clip.frames.size <= 3 * limits.MAX_SHOWN
print((after - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "most"), [("JPEG", 350), ("PNG", 1000)])
def test_a_photo_of_200_megapixels_takes_bounded_memory(kind, most, tmp_path):
    """MB over what is there before, measured: 180 for a JPEG, 870 for a PNG."""
    size = (16320, 12240)
    path = tmp_path / "large"
    options = {"quality": 80} if kind == "JPEG" else {"compress_level": 1}
    Image.new("RGB", size, (90, 120, 40)).save(path, kind, **options)
    asked = [sys.executable, "-c", MEASURED, kind, *map(str, size), str(path)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert int(done.stdout) < most


def test_more_than_4096_frames_are_listed_and_only_those_used_are_opened(tmp_path, monkeypatch):
    content = draw.picture(draw.drawn(7, 17, 19))
    for number in range(4200):
        (tmp_path / f"{number}.png").write_bytes(content)
    (tmp_path / "4000.png").write_bytes(draw.picture(draw.drawn(31, 17, 19)))
    found = footage.load(tmp_path)
    assert len(found.times) == 4200
    clip = found.sample(Sampling(3, 1, 3999))
    assert [draw.told(frame) for frame in clip.frames] == [7, 31, 7]


def test_frames_of_8k_are_taken_one_decoder_at_a_time():
    content = draw.packed([draw.picture(photo(7680, 4320), "JPEG")] * 9, size=(7680, 4320))
    found = footage.read(content, "8k.mkv")
    assert (found.width, found.height) == (7680, 4320)
    clip = found.sample(Sampling(8, 1, 0))
    assert clip.frames.shape == (8, 2160, 3840, 3)
    assert (clip.width, clip.height) == (7680, 4320)
    np.testing.assert_allclose(clip.frames[3, 100, 100], (230, 20, 20), atol=9)
