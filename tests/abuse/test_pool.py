"""Files read by children: the same as in this process, and whatever a child does is one line."""

import gc
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from errors import MediaError, OutsideError
from tests.viz import drawn_clips
from ui.isolation import channel, given, jobs, media, pool
from viz.media import footage
from viz.types import Sampling


def png(height=38, width=46):
    return drawn_clips.picture(drawn_clips.drawn(7, height, width))


pytestmark = [pytest.mark.timeout(60), pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    given.pool().close()


def same(one, other):
    assert (one.name, one.sha256, one.width, one.height) == (
        other.name, other.sha256, other.width, other.height,
    )  # fmt: skip
    assert one.times == other.times
    assert one.notes == other.notes
    sampling = Sampling(3, 2, 1) if one.is_clip else Sampling(1)
    first, second = one.sample(sampling), other.sample(sampling)
    assert np.array_equal(first.frames, second.frames)
    assert first.numbers == second.numbers
    assert (first.width, first.height, first.notes) == (second.width, second.height, second.notes)
    assert (first.shown, first.levels) == (second.shown, second.levels)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", png),
        ("a.mp4", lambda: drawn_clips.video(drawn_clips.frames(11))),
        ("a.gif", lambda: drawn_clips.animation(drawn_clips.frames(7))),
        ("a.zip", lambda: drawn_clips.zipped({f"f{k}.png": png() for k in range(7)})),
    ],
)
def test_a_child_reads_what_this_process_reads(name, content):
    content = content()
    same(media.read(content, name), footage.read(content, name))


def test_a_set_of_pictures_has_the_same_sha256():
    files = [(f"f{k}.png", png()) for k in range(7)]
    same(media.read_set(files), footage.read_set(files))


def deep(highest):
    return drawn_clips.picture(np.linspace(0, highest, 38 * 46).astype(np.uint16).reshape(38, 46))


@pytest.mark.parametrize("levels", [None, (100.0, 900.0)])
def test_deep_pictures_and_series_are_shown_with_other_levels(levels):
    several = [(f"f{k}.png", deep(900 + 700 * k)) for k in range(7)]
    packed = drawn_clips.zipped(dict(several))
    for read, here in (
        (media.read(deep(900), "a.png"), footage.read(deep(900), "a.png", levels)),
        (media.read(packed, "a.zip"), footage.read(packed, "a.zip", levels)),
        (media.read_set(several), footage.read_set(several, levels)),
    ):
        assert read.shown == (0, 1023)  # of a series: its first frame's
        shown = media.with_levels(media.with_levels(read, (1.0, 2.0)), levels)
        assert shown.levels == levels
        same(shown, here)


@pytest.mark.parametrize(
    ("read", "levels", "says"),
    [
        (lambda: media.read(png(), "a.png"), (0, 9), "8 bits"),
        (lambda: media.read(drawn_clips.video(drawn_clips.frames(5)), "a.mp4"), (0, 9), "video"),
        (lambda: media.read(deep(900), "a.png"), (9, 9), "Levels"),
        (lambda: media.read(deep(900), "a.png"), (0, float("inf")), "Levels"),
    ],
)
def test_levels_that_do_not_apply_are_one_line(read, levels, says, one_line):
    with pytest.raises(MediaError) as caught:
        media.with_levels(read(), levels)
    assert says in one_line(caught.value)


def test_frames_can_be_written_and_stay_here():
    first = media.read(png(), "a.png").take((0,)).frames
    first[:] = 0
    assert media.read(png(), "a.png").take((0,)).frames.any()


@pytest.mark.parametrize("content", [b"", b"no picture", png()[:60], b"PK\x05\x06" + b"\0" * 18])
def test_refusals_are_those_of_the_reader(content, one_line):
    with pytest.raises(MediaError) as here:
        footage.read(content, "x.png")
    with pytest.raises(MediaError) as there:
        media.read(content, "x.png")
    assert one_line(there.value) == str(here.value)


def test_frames_that_are_not_there_are_refused():
    with pytest.raises(OutsideError):
        media.read(drawn_clips.video(drawn_clips.frames(5)), "a.mp4").take((7,))


def _limited(monkeypatch, **limits):
    kind = jobs.KINDS["read"]._replace(**limits)
    monkeypatch.setitem(pool.KINDS, "read", kind)


def test_more_memory_than_allowed_is_one_line(monkeypatch, one_line):
    _limited(monkeypatch, megabytes=20)
    with pytest.raises(MediaError, match="needs more than the 20 MB of memory") as caught:
        media.read(png(4000, 4000), "a.png")
    one_line(caught.value)
    monkeypatch.undo()
    assert media.read(png(), "a.png").width == 46


def test_more_time_than_allowed_is_one_line_and_a_new_child(monkeypatch, one_line):
    _limited(monkeypatch, patience=0)
    with pytest.raises(MediaError, match="takes more than 0 s to read") as caught:
        media.read(png(4000, 4000), "a.png")
    one_line(caught.value)
    monkeypatch.undo()
    assert media.read(png(), "a.png").width == 46


def test_a_child_that_dies_is_replaced():
    media.read(png(), "a.png")
    for process in given.pool().processes:
        os.kill(process, signal.SIGKILL)
    time.sleep(0.1)
    assert media.read(png(), "a.png").width == 46


def test_a_child_that_is_killed_at_work_is_one_line(one_line):
    media.read(png(), "a.png")
    victim = given.pool().processes[-1]

    def look():
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)

    with pytest.raises(MediaError, match="broke down") as caught:
        media.read(png(3000, 3000), "a.png", look)
    one_line(caught.value)
    assert media.read(png(), "a.png").width == 46


def test_work_ends_when_nobody_waits_for_it():
    class GoneError(Exception):
        pass

    calls = iter(range(10**6))

    def look():
        if next(calls) > 0:
            raise GoneError

    with pytest.raises(GoneError):
        media.read(png(6000, 6000), "a.png", look)
    assert media.read(png(), "a.png").width == 46


def test_no_descriptor_is_left_open():
    media.read(png(), "a.png")
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(7):
        media.read(png(), "a.png")
        with pytest.raises(MediaError):
            media.read(b"no picture", "a.png")
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


def test_a_child_has_no_torch_and_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("NONLOCAL_VIZ_SECRET", "17")
    child = pool.Child()
    try:
        block = channel.block(png())
        request = {
            "kind": "read", "names": ["a.png"], "lengths": [len(png())], "is_set": False,
            "token": "t", "megabytes": 500, "seconds": 10, "result_mb": 100,
        }  # fmt: skip
        reply, made = child.ask(request, [block], 60, lambda: None)
        channel.close([block, *made])
        assert reply["told"]["width"] == 46
        place = f"/proc/{child.process.pid}"
        with open(f"{place}/environ", "rb") as file:
            assert b"SECRET" not in file.read()
        with open(f"{place}/maps") as file:
            assert "libtorch" not in file.read()
    finally:
        child.end()


@pytest.mark.parametrize(("shape", "seals"), [((3, 1), True), ((2, 2), False), ((0, 4), True)])
def test_blocks_that_are_not_what_they_are_said_to_be_are_refused(shape, seals):
    block = channel.block(b"abcd") if seals else os.memfd_create("x", os.MFD_ALLOW_SEALING)
    if not seals:
        os.write(block, b"abcd")
    with pytest.raises(channel.BrokenChannelError):
        channel.array(block, shape, "u1")
    channel.close([block])
