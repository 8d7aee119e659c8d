"""Videos: every container, true times, upright frames, and the same frames as plain decoding."""

import hashlib
import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.viz import drawn_clips as draw
from viz.media import decoding, footage
from viz.types import Sampling

pytestmark = pytest.mark.slow

ALL = Sampling(256, 1)
KINDS = [
    ("mp4", "libx264"),
    ("mov", "mpeg4"),
    ("avi", "mpeg4"),
    ("avi", "mjpeg"),
    ("webm", "libvpx-vp9"),
    ("webm", "libvpx"),
    ("matroska", "libx264"),
    ("matroska", "ffv1"),
]


def one_by_one(content, *numbers):
    found = footage.read(content, "clip")
    return [found.sample(Sampling(1, 1, n)).frames[0] for n in numbers]


@pytest.mark.parametrize(("container", "codec"), KINDS)
def test_every_container_gives_every_frame_at_its_time(container, codec):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    content = draw.video(draw.frames(23), container, codec, pixels=pixels)
    found = footage.read(content, "really.txt")
    clip = found.sample(ALL)
    assert (found.width, found.height, found.name) == (46, 38, "really.txt")
    assert found.sha256 == hashlib.sha256(content).hexdigest() == clip.sha256
    assert found.times == pytest.approx([k / 25 for k in range(23)], abs=1e-3)
    assert found.duration == pytest.approx(23 / 25, abs=2e-3)
    assert clip.frames.shape == (23, 38, 46, 3)
    assert clip.frames.dtype == np.uint8
    assert [draw.told(frame) for frame in clip.frames] == list(range(23))
    assert clip.timestamps == found.times
    assert clip.numbers == tuple(range(23))


def test_a_lossless_clip_comes_back_pixel_for_pixel():
    pictures = draw.noise(7, 37, 53)
    content = draw.video(pictures, "matroska", "ffv1", pixels="bgr0")
    clip = footage.read(content, "clip.mkv").sample(ALL)
    assert np.array_equal(clip.frames, np.stack(pictures))
    assert clip.frames.flags.c_contiguous


@pytest.mark.parametrize(
    ("container", "codec", "pixels"),
    [("mp4", "libx264", "yuv444p"), ("webm", "libvpx-vp9", "yuv420p"), ("avi", "mpeg4", "yuv420p")],
)
def test_odd_sizes_work(container, codec, pixels):
    content = draw.video(draw.frames(5, 31, 43), container, codec, pixels=pixels)
    clip = footage.read(content, "clip").sample(ALL)
    assert clip.frames.shape == (5, 31, 43, 3)
    assert [draw.told(frame) for frame in clip.frames] == list(range(5))


TURNS = {
    "a quarter to the left": ({"degrees": 90}, lambda a: np.rot90(a)),
    "half": ({"degrees": 180}, lambda a: a[::-1, ::-1]),
    "a quarter to the right": ({"degrees": -90}, lambda a: np.rot90(a, -1)),
    "mirrored": ({"degrees": 0, "hflip": True}, lambda a: a[:, ::-1]),
    "upside down": ({"degrees": 0, "vflip": True}, lambda a: a[::-1]),
    "left and mirrored": ({"degrees": 90, "hflip": True}, lambda a: np.rot90(a)[:, ::-1]),
    "right and mirrored": ({"degrees": -90, "hflip": True}, lambda a: np.rot90(a, -1)[:, ::-1]),
}


@pytest.mark.parametrize(("turn", "meant"), TURNS.values(), ids=TURNS)
def test_frames_are_turned_as_the_file_says(turn, meant):
    content = draw.video(draw.frames(3), turn=turn)
    found = footage.read(content, "clip.mp4")
    clip = found.sample(ALL)
    expected = [meant(frame) for frame in draw.plain(content)]
    assert np.array_equal(clip.frames, np.stack(expected))
    assert (found.height, found.width) == clip.frames.shape[1:3]


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_a_variable_frame_rate_keeps_its_true_times(container):
    stamps = [0, 2, 3, 7, 11, 13, 40, 41]
    content = draw.video(draw.frames(8), container, stamps=stamps, tick=Fraction(1, 20))
    found = footage.read(content, "clip")
    assert found.times == pytest.approx([s / 20 for s in stamps], abs=1e-3)
    shown = found.sample(Sampling(5, 0.5, 0.0, "seconds"))
    assert shown.numbers == (0, 3, 5, 6)
    assert [draw.told(frame) for frame in shown.frames] == [0, 3, 5, 6]
    assert found.sample(Sampling(1, 1, 1.99, "seconds")).numbers == (5,)
    assert found.sample(Sampling(1, 1, 2.0, "seconds")).numbers == (6,)


def test_a_video_of_one_frame_is_a_picture():
    found = footage.read(draw.video(draw.frames(1)), "clip.mp4")
    assert not found.is_clip
    assert (found.times, found.duration) == ((0.0,), 0.0)
    clip = found.sample(Sampling(32, 2))
    assert clip.frames.shape == (1, 38, 46, 3)
    assert clip.numbers == ()


GROUPS = {
    "long groups": ("mp4", "libx264", {"g": "60", "bf": "3"}),
    "one group": ("mp4", "libx264", {"g": "999", "bf": "3"}),
    "open groups": ("matroska", "libx264", {"g": "30", "bf": "3", "x264-params": "open-gop=1"}),
    "tiny groups": ("mp4", "libx264", {"g": "3", "bf": "2"}),
    "only keys": ("mov", "mjpeg", {}),
    "B-frames in AVI": ("avi", "mpeg4", {"g": "30", "bf": "2"}),
    "H.264 in AVI": ("avi", "libx264", {"g": "30", "bf": "3"}),
    "VP9": ("webm", "libvpx-vp9", {"g": "40", "lag-in-frames": "16"}),
    "VP8 with hidden frames": ("webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
    "two references": ("matroska", "mpeg4", {"g": "20", "bf": "1"}),
}


@pytest.mark.parametrize(("container", "codec", "options"), GROUPS.values(), ids=GROUPS)
def test_sampled_frames_are_those_of_decoding_everything(container, codec, options):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    content = draw.video(draw.noise(131), container, codec, pixels=pixels, **options)
    everything = draw.plain(content)
    found = footage.read(content, "clip")
    assert len(found.times) == len(everything) == 131
    for sampling in (Sampling(), Sampling(5, 29), Sampling(3, 1, 127), Sampling(13, 7, 31)):
        clip = found.sample(sampling)
        assert np.array_equal(clip.frames, np.stack([everything[n] for n in clip.numbers]))
    for number, frame in zip((59, 60, 61, 130), one_by_one(content, 59, 60, 61, 130), strict=True):
        assert np.array_equal(frame, everything[number])


def count_decoded(monkeypatch):
    seen = []
    original = decoding.Reader._decoded

    def counted(*arguments):
        for frame in original(*arguments):
            seen.append(frame.pts)
            yield frame

    monkeypatch.setattr(decoding.Reader, "_decoded", counted)
    return seen


@pytest.mark.parametrize("container", ["mp4", "avi", "matroska"])
def test_of_a_long_clip_only_a_few_frames_are_decoded(container, monkeypatch):
    content = draw.video(draw.frames(40) * 15, container, "mpeg4", g="12")
    seen = count_decoded(monkeypatch)
    found = footage.read(content, "clip")
    assert len(found.times) == 600
    assert len(seen) <= 20
    clip = found.sample(Sampling(8, 2, 300))
    assert [draw.told(frame) for frame in clip.frames] == [n % 40 for n in clip.numbers]
    assert len(seen) <= 60


def with_edit(content, ticks):
    """Let an MP4 begin ``ticks`` later, with an edit list."""
    place = content.index(b"elst")
    start = struct.unpack_from(">i", content, place + 16)[0]
    return content[: place + 16] + struct.pack(">i", start + ticks) + content[place + 20 :]


@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "3"}], ids=str)
def test_frames_before_an_edit_list_are_left_out_and_times_start_at_zero(options):
    content = draw.video(draw.frames(23), **options)
    found = footage.read(with_edit(content, 5 * 512), "clip.mp4")
    clip = found.sample(ALL)
    assert [draw.told(frame) for frame in clip.frames] == list(range(5, 23))
    assert found.times == pytest.approx([k / 25 for k in range(18)])


def test_a_frame_stamped_before_zero_is_shown_and_times_start_at_zero():
    content = draw.video(draw.frames(9), "matroska", "mjpeg", pixels="yuvj420p")
    first_block, at_minus_80_ms = b"\x81\x00\x00\x80", b"\x81\xff\xb0\x80"
    found = footage.read(content.replace(first_block, at_minus_80_ms, 1), "clip.mkv")
    assert found.times == pytest.approx([k / 25 for k in range(9)])
    assert [draw.told(frame) for frame in found.sample(ALL).frames] == list(range(9))


@pytest.mark.parametrize("shape", [Fraction(3, 2), Fraction(1, 2)])
def test_pixels_that_are_not_square_are_stretched_in_width(shape):
    content = draw.video(draw.frames(3), context={"sample_aspect_ratio": shape})
    found = footage.read(content, "clip.mp4")
    assert (found.width, found.height) == (46 * shape, 38)
    frame = found.sample(ALL).frames[1]
    third = round(46 * shape) // 3
    assert (frame[3, : third - 2, 0] > 200).all()
    assert (frame[3, third + 2 :, 0] < 60).all()
    assert draw.told(frame) == 1


@pytest.mark.parametrize("matrix", [1, 5], ids=["BT.709", "BT.601"])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_colours_follow_the_matrix_and_range_of_the_file(matrix, full):
    content = draw.coloured((200, 60, 30), matrix, full)
    frame = footage.read(content, "clip.mp4").sample(ALL).frames[0]
    np.testing.assert_allclose(frame[20, 20], (200, 60, 30), atol=3)


@pytest.mark.parametrize("container", ["mp4", "avi", "matroska"])
def test_sound_beside_the_pictures_is_left_alone(container):
    content = draw.video(draw.frames(9), container, "mpeg4", audio=True)
    clip = footage.read(content, "clip").sample(ALL)
    assert [draw.told(frame) for frame in clip.frames] == list(range(9))


def test_frames_that_are_decoded_but_never_shown_do_not_count():
    content = draw.video(draw.noise(23), "webm", "libvpx")
    with av.open(io.BytesIO(content)) as opened:
        hidden = [bytes(packet) for packet in opened.demux(video=0)][7]
    shown_bit = 0x10
    assert hidden[0] & shown_bit
    content = content.replace(hidden, bytes([hidden[0] ^ shown_bit]) + hidden[1:])
    everything = draw.plain(content)
    found = footage.read(content, "clip.webm")
    assert len(found.times) == len(everything) == 22
    assert found.times[6:8] == pytest.approx([0.24, 0.32], abs=1e-3)
    assert np.array_equal(found.sample(ALL).frames, np.stack(everything))
