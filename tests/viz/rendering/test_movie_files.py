"""Movies read back with PyAV and Pillow: frames, sizes, times, pixels, and nothing left behind."""

import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from errors import MachineError
from viz.rendering import marks, movie_files

TIMES = (0.0, 0.04, 0.12, 0.5, 0.6)
ROWS, COLS, CELL = 3, 5, 32


@dataclass(frozen=True)
class Drawn:
    """A movie of pictures that are there: in picture t the cell (t mod 3, t mod 5) is orange, and
    in those of ``references`` there is a green frame around it."""

    held: list[float]
    references: frozenset[int] = frozenset({2})
    shape: tuple[int, int] = (ROWS * CELL, COLS * CELL)
    ground: tuple[int, int, int] = (100, 100, 100)

    def picture(self, index: int) -> np.ndarray:
        made = np.full((*self.shape, 3), self.ground, np.uint8)
        top, left = CELL * (index % ROWS), CELL * (index % COLS)
        if index in self.references:
            made[top : top + CELL, left : left + CELL] = marks.GREEN
        made[top + 3 : top + CELL - 3, left + 3 : left + CELL - 3] = (250, 150, 20)
        return made


def of(times=TIMES, **how) -> Drawn:
    return Drawn(movie_files.held_times(tuple(times)), **how)


def written(movie, kind="mp4", progress=None) -> bytes:
    return movie_files.KINDS[kind].write(movie, movie_files.pictures(movie, progress))


def coloured(picture):
    return np.ptp(picture, axis=-1) > 40


def green(picture):
    return np.abs(picture - marks.GREEN).max(-1) < 12


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
    with Image.open(io.BytesIO(content)) as opened:
        for k in range(opened.n_frames):
            opened.seek(k)
            pictures.append(np.asarray(opened.convert("RGB")).astype(int))
            durations.append(opened.info["duration"])
        return pictures, durations, opened.info["loop"]


def test_an_mp4_is_h264_that_browsers_play_with_its_index_in_front():
    content = written(of())
    _pictures, _times, _lasting, (codec, pixel_format, _rate) = decoded(content)
    assert (codec, pixel_format) == ("h264", "yuv420p")
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"Lavf" not in content


def test_every_frame_of_an_mp4_is_shown_at_its_own_time_and_the_last_for_the_median_step():
    pictures, times, lasting, (_codec, _format, rate) = decoded(written(of()))
    assert len(pictures) == 5
    assert times == pytest.approx(TIMES, abs=1e-4)
    median_step = (0.08 + 0.1) / 2
    assert lasting == pytest.approx(0.6 + median_step, abs=1e-4)
    assert float(rate) == pytest.approx(5 / lasting, rel=0.02)


def test_a_clip_that_starts_late_is_a_movie_that_starts_at_once():
    assert decoded(written(of(t + 7.3 for t in TIMES)))[1] == pytest.approx(TIMES, abs=1e-4)


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_a_moving_cell_is_in_the_right_place_of_the_right_frame(kind):
    content = written(of(), kind)
    pictures = decoded(content)[0] if kind == "mp4" else animated(content)[0]
    assert len(pictures) == 5
    for t, picture in enumerate(pictures):
        lit = coloured(picture)
        row, col = t % ROWS, t % COLS
        assert lit[row * 32 + 6 : row * 32 + 26, col * 32 + 6 : col * 32 + 26].all()
        lit[row * 32 : row * 32 + 32, col * 32 : col * 32 + 32] = False
        assert not lit.any()


@pytest.mark.parametrize("references", [{2}, {0, 4}])
def test_only_the_frames_of_references_are_green_in_a_gif_of_few_colours(references):
    noise = np.random.default_rng(5).integers(0, 200, (ROWS * CELL, COLS * CELL, 3), np.uint8)

    class Colourful(Drawn):
        def picture(self, index):
            made = super().picture(index)
            return np.where((made == self.ground).all(-1, keepdims=True), noise, made)

    movie = Colourful(movie_files.held_times(TIMES), frozenset(references))
    found = [green(p).sum() for p in animated(written(movie, "gif"))[0]]
    edge = CELL**2 - (CELL - 6) ** 2
    for k, count in enumerate(found):
        # Dithering carries single pixels over.
        assert (count > 0.97 * edge) if k in references else (count < 0.03 * edge), (k, found)


@pytest.mark.parametrize(("kind", "unit"), [("gif", 10), ("webp", 1)])
def test_the_durations_of_an_animation_add_up_to_the_true_time(kind, unit):
    movie = of(k / 15 for k in range(7))
    pictures, durations, loop = animated(written(movie, kind))
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


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_every_picture_has_the_movies_size(kind):
    content = written(of(shape=(98, 174)), kind)
    pictures = decoded(content)[0] if kind == "mp4" else animated(content)[0]
    assert {picture.shape for picture in pictures} == {(98, 174, 3)}


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_a_clip_of_one_frame_is_a_movie_of_one_frame(kind):
    content = written(of((0.0,)), kind)
    if kind == "mp4":
        pictures, _times, lasting, _facts = decoded(content)
        assert (len(pictures), lasting) == (1, pytest.approx(1.0))
    else:
        with Image.open(io.BytesIO(content)) as alone:
            assert getattr(alone, "n_frames", 1) == 1


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_the_same_view_is_the_same_bytes(kind):
    assert written(of(), kind) == written(of(), kind)


def test_colours_survive_the_way_through_yuv():
    pictures, *_rest = decoded(written(of(ground=(200, 60, 30))))
    assert np.abs(pictures[1][70:90, 100:150] - [200, 60, 30]).max() <= 4


@pytest.mark.parametrize("kind", movie_files.KINDS)
def test_progress_is_told_after_every_frame(kind):
    told = []
    written(of(), kind, lambda done, total: told.append((done, total)))
    assert told == [(k, 5) for k in range(1, 6)]


class StoppedError(Exception):
    """What a page raises when somebody presses Stop."""


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
    return [link for link in links if link.endswith(".mp4")]


@pytest.mark.parametrize("kind", movie_files.KINDS)
@pytest.mark.parametrize("after", [1, 50])  # x264 writes nothing before it has seen some 40
def test_a_movie_stopped_half_way_leaves_nothing(kind, after, temporary):
    movie, seen = of((k / 25 for k in range(60)), shape=(96, 160)), []

    def stop(done, _total):
        seen.append((list(temporary.iterdir()), open_movies()))
        if done == after:
            raise StoppedError

    with pytest.raises(StoppedError):
        written(movie, kind, stop)
    assert len(seen) == after
    if kind == "mp4":
        assert all(folders for folders, _open in seen)
        assert bool(seen[-1][1]) == (after == 50)
    assert list(temporary.iterdir()) == []
    assert open_movies() == []


def test_an_encoder_that_fails_is_one_line_and_leaves_nothing(temporary, monkeypatch, one_line):
    def fails(*_args, **_how):
        raise av.OSError(28, "No space left on device")

    monkeypatch.setattr(av.VideoFrame, "from_ndarray", fails)
    with pytest.raises(MachineError, match="No space left") as caught:
        written(of())
    one_line(caught.value)
    assert list(temporary.iterdir()) == []
    assert open_movies() == []


def test_a_finished_movie_leaves_no_file(temporary):
    written(of())
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("kind", ["mp4", "webp"])
def test_pictures_are_drawn_while_the_one_before_is_written_not_earlier(kind):
    drawn, told = [], []

    class Counting(Drawn):
        def picture(self, index):
            drawn.append(index)
            return super().picture(index)

    movie = Counting(movie_files.held_times(TIMES))
    written(movie, kind, lambda done, _total: told.append(len(drawn) - done))
    assert len(told) == 5
    assert set(told) <= {0, 1}


def test_what_is_written_is_a_movie_of_the_protocol():
    assert replace(of(), references=frozenset()).references == frozenset()
    for kind in movie_files.KINDS.values():
        assert kind.title
        assert kind.mime.partition("/")[0] in ("video", "image")
        assert kind.largest % 2 == 0
