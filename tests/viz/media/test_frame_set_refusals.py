"""Zips, folders and uploads that are refused: one line each, and no more unpacked than need be."""

import io
import time
import tracemalloc
import zipfile

import pytest

from errors import MediaError
from tests.viz import drawn_clips as draw
from viz.media import footage, frame_sets
from viz.types import Sampling

ALL = Sampling(256, 1)
NUMBERED = {f"f{k}.png": draw.picture(draw.drawn(k, 31, 43)) for k in range(13)}


def refused(content, one_line, name="frames.zip"):
    with pytest.raises(MediaError) as caught:
        footage.read(content, name).sample(ALL)
    return one_line(caught.value)


PNG = NUMBERED["f0.png"]


@pytest.mark.parametrize(
    "name", ["../f9.png", "a/../../f9.png", "/etc/f9.png", "C:\\f9.png", "..\\f9.png", "c:f9.png"]
)
def test_a_name_that_leads_out_of_the_zip_is_refused(name, one_line):
    text = refused(draw.zipped({"f1.png": PNG, name: PNG}), one_line)
    assert "path traversal" in text


def test_dots_inside_a_name_are_no_path(one_line):
    found = footage.read(draw.zipped({"f..1.png": PNG, "f...2.png": PNG}), "frames.zip")
    assert len(found.times) == 2


def test_entries_without_end_are_refused_soon(monkeypatch, one_line):
    assert frame_sets.MAX_ENTRIES == 100_000
    monkeypatch.setattr(frame_sets, "MAX_ENTRIES", 999)
    content = draw.zipped({f"{k}.png": b"" for k in range(3000)})
    started = time.perf_counter()
    assert "999 entries" in refused(content, one_line)
    assert time.perf_counter() - started < 0.5


STRANGE = {
    "text": b"these are my frames",
    "nothing": b"",
    "a zip": draw.zipped(NUMBERED),
    "a video": draw.video(draw.frames(3)),
    "an animation": draw.animation(draw.frames(3), duration=40),
    "a long animation": draw.animation(draw.noise(9, 101, 113), duration=40),
    "a png that is cut": PNG[:40],
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("others", [{}, {"f1.png": PNG, "f2.png": PNG}], ids=["alone", "beside"])
def test_an_entry_that_is_no_still_picture_is_refused_by_name(content, others, one_line):
    text = refused(draw.zipped(others | {"strange": content}), one_line)
    assert "strange in frames.zip" in text
    assert "alone" in text


def test_a_zip_without_pictures_is_refused(one_line):
    assert "no pictures" in refused(draw.zipped({}), one_line)
    assert "no pictures" in refused(draw.zipped({".hidden.png": PNG, "a/": b""}), one_line)


def test_frames_of_different_sizes_are_refused_with_both_sizes_and_names(one_line):
    files = {"f1.png": PNG, "f2.png": PNG, "f10.png": draw.picture(draw.drawn(1, 37, 53))}
    text = refused(draw.zipped(files), one_line)
    assert "f1.png is 43 x 31 pixels, but f10.png is 53 x 37" in text


def test_an_encrypted_zip_is_refused(one_line):
    content = bytearray(draw.zipped({"f1.png": PNG}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    assert "password" in refused(bytes(content), one_line)


def test_an_entry_that_says_it_unpacks_to_more_than_a_picture_may_is_refused(one_line):
    content = draw.zipped({f"{k}.png": PNG for k in range(3)})
    size, said = len(PNG).to_bytes(4, "little"), (400 * 2**20).to_bytes(4, "little")
    place = content.index(b"PK\x01\x02")
    lying = content[:place] + content[place:].replace(size + b"\5\0", said + b"\5\0")
    assert lying != content
    text = refused(lying, one_line, "0.png")
    assert "400 MB" in text
    assert "256 MB" in text


def test_no_more_is_unpacked_than_a_zip_says_there_is(one_line):
    """40 MB of zeros that claim to be 100 bytes: the header lies, and reading stops there."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", PNG[:33] + bytes(40 * 2**20))
    content = file.getvalue()
    place = content.index(b"PK\x01\x02")
    lying = content[: place + 24] + (100).to_bytes(4, "little") + content[place + 28 :]
    tracemalloc.start()
    text = refused(lying, one_line)
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()
    assert "bomb.png" in text


def test_uploads_that_are_no_frames_are_refused(one_line):
    for files, told in (
        ([], "No pictures"),
        ([("a.png", PNG), ("b.txt", b"text")], "b.txt"),
        ([("a.png", PNG), ("b.mp4", STRANGE["a video"])], "alone"),
    ):
        with pytest.raises(MediaError, match=told) as caught:
            footage.read_set(files)
        one_line(caught.value)


def test_a_folder_without_pictures_is_refused(tmp_path, one_line):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(MediaError, match="folder without pictures") as caught:
        footage.load(tmp_path)
    assert str(tmp_path.parent) not in one_line(caught.value)


def test_a_frame_that_is_damaged_is_named_when_it_is_sampled(one_line):
    files = NUMBERED | {"f7.png": PNG[:-60]}
    found = footage.read(draw.zipped(files), "frames.zip")
    assert found.sample(Sampling(3, 2, 0)).numbers == (0, 2, 4)
    with pytest.raises(MediaError, match="f7.png") as caught:
        found.sample(Sampling(3, 1, 6))
    one_line(caught.value)
