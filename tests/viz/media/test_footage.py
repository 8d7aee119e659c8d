"""Footage: which frames a sampling takes, pictures, and frames that are there already."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InputError, OutsideError
from tests.viz import drawn_clips as draw
from viz.media import footage, limits, pictures
from viz.types import Clip, Sampling


def held(times, height=31, width=43):
    pixels = np.stack([draw.drawn(k % 40, height, width) for k in range(len(times))])
    return footage.of(Clip(pixels, tuple(times), "held.mp4", "0" * 64))


def timed(times):
    """Return footage with times alone, for questions about numbers."""
    return footage.Footage("x", "0", 43, 31, tuple(times), None)


def even(count, rate=25):
    return timed([k / rate for k in range(count)])


@pytest.mark.parametrize(
    ("count", "sampling", "numbers"),
    [
        (57, Sampling(), tuple(range(0, 57, 8))),
        (61, Sampling(), tuple(range(2, 61, 8))),
        (300, Sampling(32, 2), tuple(range(118, 182, 2))),
        (300, Sampling(8, 8, 11), tuple(range(11, 75, 8))),
        (300, Sampling(4, 2.5, 10), (10, 13, 15, 18)),
        (300, Sampling(1, 8), (149,)),
        (7, Sampling(), (0, 1, 2, 3, 4, 5, 6)),
        (8, Sampling(8, 8), (0, 1, 2, 3, 4, 5, 6, 7)),
        (15, Sampling(8, 8), (0, 2, 4, 6, 8, 10, 12, 14)),
        (1, Sampling(), (0,)),
        (300, Sampling(4, 0.5, 10), (10, 11, 12)),
        (100, Sampling(3, 1, 1.0, "seconds"), (25, 50, 75)),
        (101, Sampling(3, 1, None, "seconds"), (25, 50, 75)),
        (26, Sampling(3, 100, None, "seconds"), (0, 12, 25)),
        (100, Sampling(3, 0.01, 1.0, "seconds"), (25,)),
    ],
)
def test_a_sampling_takes_these_frames(count, sampling, numbers):
    assert even(count).numbers(sampling) == numbers


def test_the_frame_on_screen_is_taken_where_frames_last_differently():
    found = timed([0, 0.1, 0.15, 2.0, 2.05, 3.0])
    assert found.numbers(Sampling(4, 1, 0.0, "seconds")) == (0, 2, 3, 5)
    assert found.numbers(Sampling(2, 0.05, 0.1, "seconds")) == (1, 2)
    assert found.numbers(Sampling(1, 1, 1.9999, "seconds")) == (2,)


TIMES = st.lists(st.floats(0.001, 2), min_size=0, max_size=60).map(
    lambda gaps: tuple(float(t) for t in np.cumsum([0.0, *gaps]))
)


@given(
    TIMES,
    st.integers(1, 256),
    st.floats(0.01, 50),
    st.none() | st.floats(0, 60),
    st.sampled_from(["frames", "seconds"]),
)
def test_numbers_ascend_lie_inside_and_follow_the_step(times, frames, step, start, unit):
    found, sampling = timed(times), Sampling(frames, step, start, unit)
    try:
        numbers = found.numbers(sampling)
    except OutsideError:
        assert start is not None
        last = start + (frames - 1) * step
        assert last > (times[-1] if unit == "seconds" else len(times) - 1)
        return
    assert 1 <= len(numbers) <= frames
    assert all(a < b for a, b in zip(numbers, numbers[1:], strict=False))
    assert numbers[0] >= 0
    assert numbers[-1] < len(times)
    if unit == "frames":
        gaps = np.diff(numbers)
        assert (np.abs(gaps - gaps.mean()) <= 1).all() if len(gaps) else True
        enough = step >= 1 or (start is None and frames >= len(times))
        assert len(numbers) == min(frames, len(times)) or not enough


@given(st.integers(2, 400), st.integers(1, 40), st.integers(1, 20))
def test_without_a_start_whole_steps_lie_in_the_middle(count, frames, step):
    numbers = even(count).numbers(Sampling(frames, step))
    before, after = numbers[0], count - 1 - numbers[-1]
    assert 0 <= after - before <= 1
    if (frames - 1) * step < count and frames < count:
        assert set(np.diff(numbers)) <= {step}
        assert len(numbers) == frames


@given(st.integers(2, 400), st.integers(1, 40), st.integers(1, 20), st.integers(0, 400))
def test_a_start_that_fits_is_taken_and_the_refusal_names_the_last(count, frames, step, start):
    found, last = even(count), count - 1 - (frames - 1) * step
    sampling = Sampling(frames, step, start)
    if start <= last:
        assert found.numbers(sampling) == tuple(range(start, start + frames * step, step))
    else:
        told = f"last start that fits is {last}." if last >= 0 else "do not fit into"
        with pytest.raises(OutsideError, match=told):
            found.numbers(sampling)


def test_the_last_start_in_seconds_that_a_refusal_names_works(one_line):
    found = timed([k / 29.97 for k in range(107)])
    with pytest.raises(OutsideError) as caught:
        found.numbers(Sampling(8, 0.3, 3.0, "seconds"))
    text = one_line(caught.value)
    last = float(text.rstrip(".").split()[-1])
    assert last == pytest.approx(106 / 29.97 - 2.1, abs=1e-3)
    assert len(found.numbers(Sampling(8, 0.3, last, "seconds"))) == 8


@pytest.mark.parametrize("frames", [0, -1, 257, 10**9, 2.5, "8", None, True, math.nan])
def test_a_number_of_frames_that_is_none_is_refused(frames, one_line):
    with pytest.raises(InputError, match="1 to 256") as caught:
        even(9).numbers(Sampling(frames, 1))
    one_line(caught.value)


@pytest.mark.parametrize("step", [0, -1, math.nan, math.inf, "2", None])
def test_a_step_that_is_none_is_refused(step, one_line):
    with pytest.raises(InputError, match="above 0") as caught:
        even(9).numbers(Sampling(2, step))
    one_line(caught.value)


@pytest.mark.parametrize("start", [-1, -0.01, math.nan, math.inf, "0", 10**400])
def test_a_start_that_is_none_is_refused(start, one_line):
    with pytest.raises(InputError, match="middle") as caught:
        even(9).numbers(Sampling(2, 1, start))
    one_line(caught.value)


def test_a_unit_that_is_not_known_is_refused(one_line):
    with pytest.raises(InputError, match="frames or seconds") as caught:
        even(9).numbers(Sampling(2, 1, None, "minutes"))
    one_line(caught.value)


def test_frames_that_are_there_are_sampled_with_their_own_times():
    found = held([0.5 + k / 10 for k in range(21)])
    assert found.times == pytest.approx([k / 10 for k in range(21)])
    assert found.duration == pytest.approx(2.1)
    clip = found.sample(Sampling(3, 5))
    assert clip.numbers == (5, 10, 15)
    assert clip.timestamps == pytest.approx((0.5, 1.0, 1.5))
    assert [draw.told(frame) for frame in clip.frames] == [5, 10, 15]
    assert (clip.name, clip.sha256, clip.height, clip.width) == ("held.mp4", "0" * 64, 31, 43)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_picture_is_sampled_to_what_media_reads(kind, tmp_path):
    content = draw.picture(draw.noise(1, 37, 53)[0], kind)
    (tmp_path / "bird.mp4").write_bytes(content)
    plain = pictures.read(content, "bird.mp4")
    for found in (footage.read(content, "bird.mp4"), footage.load(tmp_path / "bird.mp4")):
        assert (found.is_clip, found.duration, found.times) == (False, 0.0, (0.0,))
        assert (found.width, found.height) == (53, 37)
        clip = found.sample(Sampling(32, 2))
        assert np.array_equal(clip.frames, plain.frames)
        assert (clip.timestamps, clip.numbers) == ((0.0,), ())
        assert (clip.name, clip.sha256) == (plain.name, plain.sha256)


def test_a_video_on_disk_is_read_like_an_upload(tmp_path):
    content = draw.video(draw.frames(9))
    (tmp_path / "clip.mp4").write_bytes(content)
    upload, loaded = footage.read(content, "clip.mp4"), footage.load(str(tmp_path / "clip.mp4"))
    assert (loaded.times, loaded.sha256, loaded.name) == (upload.times, upload.sha256, "clip.mp4")


def test_frames_of_many_pixels_together_are_halved_and_keep_their_coordinates(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SAMPLE_PIXELS", 1800)
    found = footage.read(draw.video(draw.frames(9, 37, 46), pixels="yuv444p"), "clip.mp4")
    clip = found.sample(Sampling(3, 1, 0))
    assert clip.frames.shape == (3, 19, 23, 3)
    assert (clip.width, clip.height) == (46, 37)
    assert [draw.told(frame) for frame in clip.frames] == [0, 1, 2]
    assert found.sample(Sampling(1, 1, 4)).frames.shape == (1, 37, 46, 3)
