"""Pictures that are read: every mode and orientation gives the 8-bit RGB that was meant."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from viz.media import pictures

RNG = np.random.default_rng(37)
PIXELS = RNG.integers(0, 256, (19, 23, 3), dtype=np.uint8)


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def read(content, name="picture"):
    clip = pictures.read(content, name)
    assert clip.frames.dtype == np.uint8
    assert clip.frames.shape[0] == 1
    assert clip.frames.shape[3] == 3
    return clip


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_rgb_comes_back_pixel_for_pixel(kind):
    content = encoded(Image.fromarray(PIXELS), kind)
    clip = read(content, "bird.xyz")
    assert np.array_equal(clip.frames[0], PIXELS)
    assert (clip.width, clip.height, clip.name) == (23, 19, "bird.xyz")
    assert clip.sha256 == hashlib.sha256(content).hexdigest()
    assert clip.timestamps == (0.0,)


def test_lossless_webp_comes_back_pixel_for_pixel():
    content = encoded(Image.fromarray(PIXELS), "WEBP", lossless=True)
    assert np.array_equal(read(content).frames[0], PIXELS)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_of_one_colour_comes_back_as_that_colour(mode):
    colours = {"RGB": (200, 30, 60), "L": 77, "CMYK": (0, 255, 255, 0)}
    meant = {"RGB": (200, 30, 60), "L": (77, 77, 77), "CMYK": (255, 0, 0)}
    content = encoded(Image.new(mode, (32, 24), colours[mode]), "JPEG", quality=100)
    np.testing.assert_allclose(read(content).frames[0], np.full((24, 32, 3), meant[mode]), atol=3)


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_every_exif_orientation_is_turned_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = TURNED[orientation](PIXELS)
    found = read(encoded(Image.fromarray(PIXELS), "PNG", exif=exif)).frames[0]
    assert np.array_equal(found, expected)


def test_exif_of_a_jpeg_is_applied_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = np.zeros((16, 24, 3), np.uint8)
    picture[:, :8] = 255
    found = read(encoded(Image.fromarray(picture), "JPEG", quality=100, exif=exif)).frames[0]
    assert found.shape == (24, 16, 3)
    assert found[:7].min() > 240
    assert found[9:].max() < 15


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_cut_off(kind, orientation):
    deep = RNG.integers(0, 65536, (19, 23), dtype=np.uint16)
    deep[0, :3] = (0, 32768, 65535)
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read(encoded(Image.fromarray(deep), kind, exif=exif)).frames[0]
    expected = TURNED[orientation](np.rint(deep / 257)).astype(np.uint8)
    assert np.array_equal(found, expected[..., None].repeat(3, 2))


def test_sixteen_bit_rgb_png_is_scaled_to_eight(sixteen_bit_png):
    deep = RNG.integers(0, 65536, (19, 23, 3), dtype=np.uint16)
    found = read(sixteen_bit_png(deep)).frames[0]
    np.testing.assert_allclose(found, deep / 257, atol=1)


def test_a_palette_with_a_transparent_colour_lies_on_white():
    picture = Image.new("P", (20, 17), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50, 0, 0, 255])
    picture.paste(2, (0, 0, 5, 17))
    found = read(encoded(picture, "PNG", transparency=2)).frames[0]
    assert (found[:, :5] == 255).all()
    assert (found[:, 5:] == (200, 100, 50)).all()


@pytest.mark.parametrize(
    ("mode", "colour", "meant"),
    [
        ("RGBA", (200, 0, 100, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 100, 255), (200, 0, 100)),
        ("RGBA", (200, 0, 100, 51), (244, 204, 224)),
        ("LA", (100, 51), (224, 224, 224)),
    ],
)
def test_alpha_lies_on_white(mode, colour, meant):
    found = read(encoded(Image.new(mode, (20, 17), colour))).frames[0]
    np.testing.assert_allclose(found, np.full((17, 20, 3), meant), atol=1)


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_one_transparent_colour_without_alpha_lies_on_white_too(mode):
    key = {"RGB": (9, 8, 7), "L": 9, "1": 0}[mode]
    picture = Image.new(mode, (20, 17), {"RGB": (50, 60, 70), "L": 50, "1": 1}[mode])
    picture.paste(key, (0, 0, 5, 17))
    found = read(encoded(picture, "PNG", transparency=key)).frames[0]
    assert (found[:, :5] == 255).all()
    assert (found[:, 5:] == {"RGB": (50, 60, 70), "L": 50, "1": 255}[mode]).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    frames = [Image.new("RGB", (20, 17), c) for c in colours]
    options = {} if kind in ("PNG", "TIFF") else {"duration": 50}
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_allclose(read(content).frames[0], np.full((17, 20, 3), colours[0]), atol=6)


def test_the_extension_is_not_believed(tmp_path):
    path = tmp_path / "really a png.jpg"
    path.write_bytes(encoded(Image.fromarray(PIXELS)))
    clip = pictures.load(path)
    assert np.array_equal(clip.frames[0], PIXELS)
    assert clip.name == "really a png.jpg"
    assert pictures.load(str(path)).sha256 == clip.sha256


@pytest.mark.parametrize("size", [(16, 16), (16, 512), (512, 16)])
def test_the_smallest_and_the_longest_accepted_picture_are_read(size):
    assert read(encoded(Image.new("RGB", size))).frames.shape == (1, size[1], size[0], 3)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\bird.jpg", "bird.jpg"),
        ("a\nb\r\x00\x1b[31m.png", "ab[31m.png"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("gnp\u202e.png", "gnp.png"),
        ("\udcff.png", ".png"),
        ("Großer Würger 鳥.jpg", "Großer Würger 鳥.jpg"),
        ("", "picture"),
        ("///", "picture"),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_file_name_is_only_text_without_folders_or_control_characters(name, shown):
    assert read(encoded(Image.fromarray(PIXELS)), name).name == shown
