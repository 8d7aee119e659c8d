"""Footage that is refused: one line each, soon, and nothing decoded that need not be."""

import hashlib
import os
import time
import tracemalloc

import numpy as np
import pytest

from errors import MediaError
from tests.viz import drawn_clips as draw
from viz.media import footage, limits
from viz.types import Sampling

ALL = Sampling(256, 1)
ACCEPTED = (
    "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP, GIF, MP4, AVI, MOV, WebM, MKV, MPEG-TS, MPG, WMV, "
    "FLV, or a zip of frames"
)
JPEG = draw.picture(draw.drawn(3), "JPEG")


def refused(content, one_line, name="clip.mp4"):
    with pytest.raises(MediaError) as caught:
        footage.read(content, name).sample(ALL)
    text = one_line(caught.value)
    assert name in text
    return text


STRANGE = {
    "text": b"hello, this is not a video\n" * 9,
    "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "stream description": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
    "one packet like MPEG-TS": b"\x47\x40\x00\x10" + b"\xff" * 184,
    "zeros": bytes(4096),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(99),
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_what_is_no_picture_or_clip_is_refused_with_what_is(content, one_line):
    text = refused(content, one_line)
    assert f"({len(content):,} byte" in text
    assert ACCEPTED in text


def test_an_empty_file_says_so(one_line):
    assert "0 bytes" in refused(b"", one_line)


MAGIC_ALONE = {
    "mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
    "mov": b"\0\0\0\x08wide\0\0\0\0mdat",
    "avi": b"RIFF\x10\0\0\0AVI LIST",
    "matroska": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01",
    "zip": b"PK\x03\x04\x14\0",
    "mpeg transport": (b"\x47\x40\x00\x10" + b"\xff" * 184) * 20,
    "mpeg program": b"\0\0\1\xba" + bytes(99),
    "mpeg": b"\0\0\1\xb3" + bytes(99),
    "wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(99),
    "flv": b"FLV\1\1\0\0\0\x09" + bytes(99),
    "ogg": b"OggS" + bytes(99),
    "mp4 and text": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"text of no meaning " * 99,
    "avi and text": b"RIFF\x10\0\0\0AVI LIST" + b"text of no meaning " * 99,
    "matroska and text": b"\x1a\x45\xdf\xa3" + b"text of no meaning " * 99,
    "zip and text": b"PK\x03\x04" + b"text of no meaning " * 99,
}


@pytest.mark.parametrize("content", MAGIC_ALONE.values(), ids=MAGIC_ALONE)
def test_the_first_bytes_of_a_clip_alone_are_refused_and_nothing_is_logged(
    content, one_line, capfd
):
    refused(content, one_line)
    assert capfd.readouterr() == ("", "")


def test_sound_without_pictures_says_so(one_line):
    assert "only audio" in refused(draw.sound_only(), one_line)
    assert "only audio" in refused(draw.sound_only("matroska"), one_line)
    assert "only audio" in refused(draw.covered(), one_line)


@pytest.mark.parametrize("container", ["mp4", "mov", "avi", "matroska"])
def test_a_video_without_frames_is_refused(container, one_line):
    refused(draw.packed([], container), one_line)


def test_a_codec_that_is_not_known_is_refused_with_one_that_is(one_line):
    content = draw.video(draw.frames(5)).replace(b"avc1", b"zzz1")
    assert "H.264" in refused(content, one_line)


@pytest.mark.parametrize("size", [(8192, 4353), (4353, 8192), (16000, 2300)], ids=str)
@pytest.mark.parametrize("container", ["mp4", "avi", "matroska"])
def test_a_frame_that_is_too_large_is_refused_before_it_is_decoded(size, container, one_line):
    content = draw.packed([draw.claimed(size)] * 3, container, size)
    tracemalloc.start()
    text = refused(content, one_line)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    assert f"{size[0]} x {size[1]}" in text
    assert "35.7 million" in text


def test_a_frame_that_claims_a_quarter_of_a_billion_pixels_is_refused_soon(one_line):
    content = draw.packed([draw.claimed((16380, 16380))] * 3)
    started = time.perf_counter()
    refused(content, one_line)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("size", [(8, 40), (40, 8), (16, 528)], ids=str)
def test_a_frame_that_is_too_small_or_too_long_is_refused(size, one_line):
    width, height = size
    content = draw.video(draw.frames(3, height, width), "matroska", "ffv1")
    assert "32 times" in refused(content, one_line)


def test_frames_without_end_are_refused_soon(monkeypatch, one_line):
    assert limits.MAX_FRAMES == 500_000
    monkeypatch.setattr(limits, "MAX_FRAMES", 4999)
    text = refused(draw.packed([b"\xff\xd8\xff\xd9"] * 5000), one_line)
    assert "4,999 frames" in text


KINDS = ("GIF", "WEBP", "PNG", "TIFF")


@pytest.mark.parametrize("kind", KINDS)
def test_frames_that_are_gone_through_one_by_one_are_fewer(kind, monkeypatch, one_line):
    assert limits.MAX_IN_TURN == 20_000
    content = draw.animation(draw.frames(7), kind)
    assert len(footage.read(content, "a").times) == 7
    monkeypatch.setattr(limits, "MAX_IN_TURN", 5)
    assert "a has more than 5 frames" in refused(content, one_line, "a")


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_frame_behind_too_many_pixels_is_refused_at_once(kind, monkeypatch, one_line):
    assert limits.MAX_PIXELS_IN_TURN == 2_000_000_000
    monkeypatch.setattr(limits, "MAX_PIXELS_IN_TURN", 5 * 38 * 46)
    found = footage.read(draw.animation(draw.frames(7), kind), "a")
    assert found.take((2, 4)).numbers == (2, 4)
    with pytest.raises(MediaError, match="frames 0 to 4 can be taken") as caught:
        found.take((5,))
    one_line(caught.value)


def test_a_clip_of_hours_is_taken_from_where_it_is_asked_for():
    found = footage.read(draw.packed([JPEG] * 361, every=250), "clip.mkv")
    assert found.duration == pytest.approx(3610)
    assert found.sample(Sampling(3, 30, 3000, "seconds")).timestamps == (3000, 3030, 3060)


def test_an_upload_of_over_256_megabytes_is_refused(monkeypatch, one_line):
    monkeypatch.setattr(limits, "MAX_CLIP_BYTES", 2**20)
    content = draw.video(draw.frames(3)) + bytes(2 * 2**20)
    assert "up to 1 MB" in refused(content, one_line)


def test_a_clip_on_the_disk_may_be_larger_than_what_is_held_in_memory(monkeypatch, tmp_path):
    """64 MB, nearly all of it a hole, of which only the index and the frames asked for are held."""
    monkeypatch.setattr(limits, "MAX_CLIP_BYTES", 2**10)
    path = tmp_path / "large.mp4"
    path.write_bytes(draw.video(draw.frames(23)))
    with path.open("ab") as file:
        file.truncate(2**26)
    tracemalloc.start()
    found = footage.load(path)
    clip = found.sample(Sampling(3, 2, 5))
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    assert [draw.told(frame) for frame in clip.frames] == [5, 7, 9]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_frames_of_different_sizes_in_a_video_are_refused_with_both(one_line):
    other = draw.picture(draw.drawn(3, 54, 62), "JPEG")
    text = refused(draw.packed([JPEG, JPEG, other]), one_line)
    assert "46 x 38" in text
    assert "62 x 54" in text


def test_an_angle_between_quarter_turns_is_refused(one_line):
    content = draw.video(draw.frames(3), turn={"degrees": 30})
    assert "quarter turns" in refused(content, one_line)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_an_mp4_that_is_cut_before_its_index_is_refused(keep, one_line):
    content = draw.video(draw.noise(40))
    refused(content[: int(len(content) * keep)], one_line)


def cut(container, keep, path):
    """Return the bytes of a clip whose index comes first, cut off, and all its frames."""
    first = {"movflags": "faststart"} if container == "mp4" else {}
    content = draw.video(draw.noise(60), container, "mpeg4", muxing=first, path=path, g="10")
    return content[: int(len(content) * keep)], draw.plain(content)


@pytest.mark.parametrize("container", ["mp4", "avi", "matroska"])
def test_of_a_clip_cut_in_the_middle_the_frames_that_are_there_work(container, tmp_path):
    content, everything = cut(container, 0.6, tmp_path / "clip")
    found = footage.read(content, "clip")
    assert 20 < len(found.times) < 50
    last = len(found.times) - 5
    clip = found.sample(Sampling(3, 1, last - 2))
    assert np.array_equal(clip.frames, np.stack(everything[last - 2 : last + 1]))


def test_frames_damaged_in_the_middle_are_named_and_the_others_work(one_line):
    payloads = [JPEG] * 20 + [b"\xff\xd8" + bytes(40)] * 20 + [JPEG] * 20
    found = footage.read(draw.packed(payloads), "clip.mkv")
    assert len(found.sample(Sampling(8, 2, 0)).frames) == 8
    assert len(found.sample(Sampling(8, 2, 44)).frames) == 8
    with pytest.raises(MediaError) as caught:
        found.sample(Sampling(8, 2, 16))
    text = one_line(caught.value)
    assert "frame 22 at 0.88 s cannot be decoded" in text
    assert "the last before it that can is 19 at 0.76 s" in text


def test_decoding_that_takes_too_long_is_given_up(monkeypatch, one_line):
    found = footage.read(draw.video(draw.frames(30)), "clip.mp4")
    moving = footage.read(draw.animation(draw.frames(30), duration=40), "clip.gif")
    now = time.monotonic()
    monkeypatch.setattr(limits.time, "monotonic", iter(now + 30 * k for k in range(99)).__next__)
    for slow in (found, moving):
        with pytest.raises(MediaError, match="more than 60 s") as caught:
            slow.sample(ALL)
        one_line(caught.value)


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1"])
def test_a_heic_or_avif_picture_that_is_none_is_refused(brand, one_line):
    assert "HEIC" in refused(b"\0\0\0\x18ftyp" + brand + bytes(99), one_line)


FUZZED = {
    "mp4": lambda: draw.video(draw.noise(9)),
    "avi": lambda: draw.video(draw.noise(9), "avi", "mpeg4"),
    "webm": lambda: draw.video(draw.noise(9), "webm", "libvpx"),
    "gif": lambda: draw.animation(draw.noise(5), duration=40),
    "webp": lambda: draw.animation(draw.noise(5), "WEBP", duration=40),
    "png": lambda: draw.animation(draw.noise(5), "PNG", duration=40),
    "zip": lambda: draw.zipped({f"{k}.png": draw.picture(p) for k, p in enumerate(draw.noise(5))}),
}


@pytest.mark.parametrize("kind", FUZZED)
def test_flipped_bytes_give_a_clip_or_one_line_and_never_another_error(kind, one_line, capfd):
    draws = np.random.default_rng(59)
    whole = np.frombuffer(FUZZED[kind](), np.uint8)
    for _attempt in range(30):
        broken = whole.copy()
        at = draws.integers(16, len(broken) if draws.random() < 0.7 else 400, 6)
        broken[at] = draws.integers(0, 256, 6)
        try:
            clip = footage.read(broken.tobytes(), "x").sample(Sampling(4, 2))
        except MediaError as problem:
            one_line(problem)
        else:
            assert clip.frames.shape[3] == 3
            assert len(clip.frames) == len(clip.timestamps)
    assert capfd.readouterr() == ("", "")


def test_a_path_that_is_missing_or_no_file_is_refused(tmp_path, one_line):
    paths = [tmp_path / "missing.mp4", tmp_path / "null\0.mp4", tmp_path / ("x" * 999)]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        paths.append(tmp_path / "pipe.mp4")
    for path in paths:
        with pytest.raises(MediaError, match="could not be read") as caught:
            footage.load(path)
        assert ACCEPTED in one_line(caught.value)
        assert str(tmp_path) not in str(caught.value)
