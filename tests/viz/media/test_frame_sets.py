"""Pictures as frames: zips, folders and uploads, in natural order of names."""

import hashlib
import random

import numpy as np
import pytest
from PIL import Image

from tests.viz import drawn_clips as draw
from viz.media import footage, frame_sets, pictures
from viz.types import Sampling

ALL = Sampling(256, 1)
NUMBERED = {f"f{k}.png": draw.picture(draw.drawn(k, 31, 43)) for k in range(13)}


def shuffled(files):
    names = list(files)
    random.Random(53).shuffle(names)
    return {name: files[name] for name in names}


def check_numbered(found, count=13):
    clip = found.sample(ALL)
    assert clip.frames.shape == (count, 31, 43, 3)
    assert [draw.told(frame) for frame in clip.frames] == list(range(count))
    assert found.times == pytest.approx([k / 25 for k in range(count)])
    assert (found.width, found.height) == (43, 31)


def test_a_zip_gives_its_pictures_in_natural_order():
    content = draw.zipped(shuffled(NUMBERED))
    found = footage.read(content, "frames.mp4")
    check_numbered(found)
    assert found.name == "frames.mp4"
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_several_uploads_and_a_folder_give_the_same_frames_and_hash(tmp_path):
    uploads = footage.read_set(list(shuffled(NUMBERED).items()))
    check_numbered(uploads)
    assert uploads.name == "f0.png and 12 more"
    for name, content in NUMBERED.items():
        (tmp_path / name).write_bytes(content)
    folder = footage.load(tmp_path)
    check_numbered(folder)
    assert folder.name == tmp_path.name
    assert folder.sha256 == uploads.sha256
    ordered = b"".join(f"f{k}.png".encode() + b"\0" + NUMBERED[f"f{k}.png"] for k in range(13))
    assert uploads.sha256 == hashlib.sha256(ordered).hexdigest()


def test_a_zip_on_disk_is_read_like_an_upload(tmp_path):
    path = tmp_path / "frames.zip"
    path.write_bytes(draw.zipped(NUMBERED))
    check_numbered(footage.load(path))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["f10", "f2", "f1"], ["f1", "f2", "f10"]),
        (["b1", "A2", "a1"], ["a1", "A2", "b1"]),
        (["x-2-10", "x-2-9", "x-1-99"], ["x-1-99", "x-2-9", "x-2-10"]),
        (["7", "07", "a"], ["07", "7", "a"]),
        (["a", "a1", "1"], ["1", "a", "a1"]),
        (["n" + "9" * 6000, "n1"], ["n1", "n" + "9" * 6000]),
    ],
)
def test_numbers_in_names_count_as_numbers(names, ordered):
    assert sorted(names, key=frame_sets.natural) == ordered


def test_what_systems_add_to_zips_is_left_out():
    extra = {
        "__MACOSX/._f0.png": b"\0\5\x16\7",
        "frames/.DS_Store": b"Bud1",
        "frames/Thumbs.db": b"\xd0\xcf",
        "frames/": b"",
    }
    frames = {f"frames/{name}": content for name, content in NUMBERED.items()}
    check_numbered(footage.read(draw.zipped(extra | frames), "frames.zip"))


def test_in_a_folder_only_its_own_pictures_are_frames(tmp_path):
    for name, content in NUMBERED.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden.png").write_bytes(NUMBERED["f0.png"])
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "f5.png").write_bytes(NUMBERED["f0.png"])
    (tmp_path / "link.png").symlink_to(tmp_path / "f3.png")
    check_numbered(footage.load(tmp_path))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_frames_are_what_media_reads(kind):
    files = {f"{k}": draw.picture(pixels, kind) for k, pixels in enumerate(draw.noise(3, 37, 53))}
    clip = footage.read(draw.zipped(files), "frames.zip").sample(ALL)
    for number, content in enumerate(files.values()):
        assert np.array_equal(clip.frames[number], pictures.read(content, "x").frames[0])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_frames_are_turned_as_their_exif_says(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} | ({"quality": 100} if kind in ("JPEG", "WEBP") else {})
    files = {f"{k}": draw.picture(draw.drawn(k, 31, 43), kind, **options) for k in range(3)}
    found = footage.read(draw.zipped(files), "frames.zip")
    assert (found.width, found.height) == (31, 43)
    clip = found.sample(ALL)
    assert clip.frames.shape == (3, 43, 31, 3)
    assert (clip.frames[0, :10, -6:, 0] > 200).all()


def test_one_picture_is_a_picture_and_no_clip():
    found = footage.read_set([("bird.png", NUMBERED["f0.png"])])
    assert (found.is_clip, found.name) == (False, "bird.png")
    assert found.sample(Sampling()).numbers == ()


def test_pixels_are_decoded_only_when_sampled(monkeypatch):
    seen = []
    original = pictures.decoded

    def counted(content, name, *how):
        seen.append(name)
        return original(content, name, *how)

    monkeypatch.setattr(frame_sets.pictures, "decoded", counted)
    found = footage.read(draw.zipped(NUMBERED), "frames.zip")
    assert seen == []
    found.sample(Sampling(3, 2, 1))
    assert seen == ["f1.png", "f3.png", "f5.png"]


def test_a_header_longer_than_the_first_look_is_read_too():
    exif = Image.Exif()
    long = draw.picture(draw.drawn(0), "TIFF")
    assert len(long) < 2**16
    big = [draw.picture(pixels, "TIFF") for pixels in draw.noise(2, 211, 223)]
    assert len(big[0]) > 2**16
    found = footage.read(draw.zipped({"a.tif": big[0], "b.tif": big[1]}), "frames.zip")
    assert (found.width, found.height) == (223, 211)
    exif[0x010E] = "x" * 60000
    jpeg = draw.picture(draw.drawn(0), "JPEG", exif=exif)
    assert footage.read_set([("a", jpeg), ("b", jpeg)]).width == 46
