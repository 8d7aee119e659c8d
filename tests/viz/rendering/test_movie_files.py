"""Movies read back with PyAV and Pillow: frames, sizes, times, pixels, and nothing left behind."""

import io
import tempfile
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from errors import InputError, MachineError
from tests.viz.rendering.test_strip import (
    COLS,
    NEAREST,
    ROWS,
    a_view,
    coloured,
    green,
    grey_clip,
    moving,
)
from viz.rendering import movie_files, strip
from viz.rendering.look import Look

TIMES = (0.0, 0.04, 0.12, 0.5, 0.6)


@pytest.fixture
def clip():
    return replace(grey_clip(5), timestamps=TIMES)


def movie(clip, kind="mp4", views=None, look=NEAREST, progress=None):
    frame = min(2, len(clip.frames) - 1)
    views = views or [a_view(clip, moving(len(clip.frames)), frame, (frame, 1, 3))]
    return movie_files.write(clip, views, look, kind, progress)


def decoded(content):
    """Return (pictures (H, W, 3), times in s, duration in s, stream facts) of an MP4."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        facts = (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate)
        lasting = float(stream.duration * stream.time_base)
    pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in frames]
    return pictures, [frame.time for frame in frames], lasting, facts


def animated(content):
    """Return (pictures, durations in ms, loop) of a GIF or WebP."""
    pictures, durations = [], []
    with Image.open(io.BytesIO(content)) as reel:
        for k in range(reel.n_frames):
            reel.seek(k)
            pictures.append(np.asarray(reel.convert("RGB")).astype(int))
            durations.append(reel.info["duration"])
        return pictures, durations, reel.info["loop"]


def panel(picture, clip):
    left, top = strip.MARGIN, strip.MARGIN + strip.HEAD
    return picture[top : top + clip.height, left : left + clip.width]


def test_an_mp4_is_h264_that_browsers_play_with_its_index_in_front(clip):
    content = movie(clip)
    _pictures, _times, _lasting, (codec, pixel_format, _rate) = decoded(content)
    assert (codec, pixel_format) == ("h264", "yuv420p")
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"Lavf" not in content


def test_every_frame_of_an_mp4_is_shown_at_its_own_time_and_the_last_for_the_median_step(clip):
    pictures, times, lasting, (_codec, _format, rate) = decoded(movie(clip))
    assert len(pictures) == 5
    assert times == pytest.approx(TIMES, abs=1e-4)
    median_step = (0.08 + 0.1) / 2
    assert lasting == pytest.approx(0.6 + median_step, abs=1e-4)
    assert float(rate) == pytest.approx(5 / lasting, rel=0.02)


def test_a_clip_that_starts_late_is_a_movie_that_starts_at_once(clip):
    late = replace(clip, timestamps=tuple(t + 7.3 for t in TIMES))
    assert decoded(movie(late))[1] == pytest.approx(TIMES, abs=1e-4)


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_a_moving_delta_lights_the_right_cell_of_the_right_frame(clip, kind):
    content = movie(clip, kind)
    pictures = decoded(content)[0] if kind == "mp4" else animated(content)[0]
    assert len(pictures) == 5
    for t, picture in enumerate(pictures):
        lit = coloured(panel(picture, clip))
        row, col = t % ROWS, t % COLS
        assert lit[row * 32 + 6 : row * 32 + 26, col * 32 + 6 : col * 32 + 26].mean() > 0.95
        lit[row * 32 : row * 32 + 32, col * 32 : col * 32 + 32] = False
        assert lit.mean() < 0.05  # the green rectangle, and what the codec smears


def test_only_the_reference_frame_has_the_green_rectangle(clip):
    marked = [green(panel(p, clip)).sum() for p in animated(movie(clip, "gif"))[0]]
    assert [m > 100 for m in marked] == [False, False, True, False, False]


@pytest.mark.parametrize(("kind", "unit"), [("gif", 10), ("webp", 1)])
def test_the_durations_of_an_animation_add_up_to_the_true_time(kind, unit):
    clip = replace(grey_clip(7), timestamps=tuple(k / 15 for k in range(7)))
    pictures, durations, loop = animated(movie(clip, kind))
    assert len(pictures) == 7
    assert loop == 0
    assert sum(durations) == pytest.approx(1000 * 7 / 15, abs=unit / 2 + 0.01)
    assert all(abs(d - 1000 / 15) < unit + 0.01 for d in durations)


def test_whole_units_never_drift_and_never_go_below_the_least():
    assert movie_files.whole_units([1 / 3] * 3, 0.01) == [33, 34, 33]
    assert movie_files.whole_units([0.001] * 3, 0.01, least=2) == [2, 2, 2]


def test_frames_that_share_a_time_are_held_like_the_others():
    assert movie_files.held_times((0.0, 0.5, 0.5, 1.5)) == [0.5, 0.75, 1.0, 0.75]
    assert movie_files.held_times((3.0,)) == [movie_files.ALONE_S]


@pytest.mark.parametrize(
    ("height", "width", "networks"), [(53, 67, 1), (97, 151, 2), (97, 150, 1), (700, 1500, 2),
                                      (1500, 700, 1)]
)  # fmt: skip
def test_sides_are_even_and_at_most_the_cap(height, width, networks):
    clip = grey_clip(2, height, width)
    views = [a_view(clip, moving(2), 0, (0, 1, 3))] * networks
    pictures, *_rest = decoded(movie(clip, views=views))
    high, wide = pictures[0].shape[:2]
    assert (high % 2, wide % 2) == (0, 0)
    assert max(high, wide) <= movie_files.KINDS["mp4"].largest
    in_gif = animated(movie(clip, "gif", views))[0]
    assert max(in_gif[0].shape) <= movie_files.KINDS["gif"].largest


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_a_clip_of_one_frame_is_a_movie_of_one_frame(kind):
    content = movie(grey_clip(1), kind)
    if kind == "mp4":
        pictures, _times, lasting, _facts = decoded(content)
        assert (len(pictures), lasting) == (1, pytest.approx(1.0))
    else:
        with Image.open(io.BytesIO(content)) as alone:
            assert getattr(alone, "n_frames", 1) == 1


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_the_same_view_is_the_same_bytes(clip, kind):
    assert movie(clip, kind) == movie(clip, kind)


def test_colours_survive_the_way_through_yuv():
    clip = grey_clip(2)
    clip = replace(clip, frames=np.broadcast_to(np.uint8([200, 60, 30]), clip.frames.shape).copy())
    pictures, *_rest = decoded(movie(clip))
    assert np.abs(panel(pictures[1], clip)[70:90, 100:150] - [200, 60, 30]).max() <= 4


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_progress_is_told_after_every_frame(clip, kind):
    told = []
    movie(clip, kind, progress=lambda done, total: told.append((done, total)))
    assert told == [(k, 5) for k in range(1, 6)]


class StoppedError(Exception):
    """What a page raises when somebody presses Cancel."""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def open_movies():
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except OSError:
            continue
    return [link for link in links if "movie" in link]


@pytest.mark.parametrize("kind", movie_files.KINDS)
@pytest.mark.parametrize("after", [1, 50])  # x264 writes nothing before it has seen some 40
def test_a_movie_stopped_half_way_leaves_nothing(kind, after, temporary):
    clip, seen = grey_clip(60, 16, 32), []

    def stop(done, _total):
        seen.append((list(temporary.iterdir()), open_movies()))
        if done == after:
            raise StoppedError

    with pytest.raises(StoppedError):
        movie(clip, kind, progress=stop)
    assert len(seen) == after
    if kind == "mp4":
        assert all(folders for folders, _open in seen)
        assert bool(seen[-1][1]) == (after == 50)
    assert list(temporary.iterdir()) == []
    assert open_movies() == []


def test_an_encoder_that_fails_is_one_line_and_leaves_nothing(
    clip, temporary, monkeypatch, one_line
):
    def fails(*_args, **_how):
        raise av.OSError(28, "No space left on device")

    monkeypatch.setattr(av.VideoFrame, "from_ndarray", fails)
    with pytest.raises(MachineError, match="No space left") as caught:
        movie(clip)
    one_line(caught.value)
    assert list(temporary.iterdir()) == []
    assert open_movies() == []


def test_a_finished_movie_leaves_no_file(clip, temporary):
    movie(clip)
    assert list(temporary.iterdir()) == []


def test_an_unknown_kind_is_one_line(clip, one_line):
    with pytest.raises(InputError, match="mp4, gif, webp") as caught:
        movie(clip, "mkv\n<b>")
    one_line(caught.value)


def test_frames_are_painted_when_they_are_written_not_before(clip, monkeypatch):
    painted, told = [], []
    real = movie_files.Film.picture

    def counting(film, index):
        painted.append(index)
        return real(film, index)

    monkeypatch.setattr(movie_files.Film, "picture", counting)
    movie(clip, progress=lambda done, _total: told.append(len(painted) - done))
    assert told == [0] * 5


def test_networks_stand_side_by_side_each_with_its_own_heat(clip):
    still = np.zeros((5, ROWS, COLS), np.float32)
    still[:, 2, 0] = 1
    views = [a_view(clip, moving()), a_view(clip, still)]
    picture = decoded(movie(clip, views=views, look=Look(interpolation="nearest")))[0][4]
    left, right = panel(picture, clip), picture[:, clip.width + strip.GAP :]
    right = panel(right, clip)
    assert coloured(left)[32 + 8 : 64 - 8, 128 + 8 : -8].all()
    assert coloured(right)[64 + 8 : -8, 8:24].all()
    assert not coloured(right)[8:56, 40:].any()
