"""Animated GIF, WebP and PNG: true times, frames composited over white, decoded once."""

import io

import numpy as np
import pytest
from PIL import GifImagePlugin, Image

from tests.viz import drawn_clips as draw
from viz.media import footage, pictures
from viz.types import Sampling

ALL = Sampling(256, 1)
DELAYS = [70, 130, 30, 500, 110]
LOSSLESS = {"GIF": {}, "WEBP": {"lossless": True}, "PNG": {}}


def composited(content):
    """Decode every frame the plain way."""
    found = []
    with Image.open(io.BytesIO(content)) as picture:
        for number in range(picture.n_frames):
            picture.seek(number)
            layered = picture.convert("RGBA")
            paper = Image.new("RGBA", layered.size, "white")
            found.append(np.asarray(Image.alpha_composite(paper, layered).convert("RGB")))
    return found


@pytest.mark.parametrize("kind", LOSSLESS)
def test_an_animation_gives_every_frame_at_its_true_time(kind):
    content = draw.animation(draw.frames(5, 31, 43), kind, duration=DELAYS, **LOSSLESS[kind])
    found = footage.read(content, "really.mp4")
    assert found.times == pytest.approx([0, 0.07, 0.2, 0.23, 0.73])
    assert (found.width, found.height, found.is_clip) == (43, 31, True)
    clip = found.sample(ALL)
    assert clip.frames.shape == (5, 31, 43, 3)
    assert [draw.told(frame) for frame in clip.frames] == list(range(5))
    assert np.array_equal(clip.frames, np.stack(composited(content)))
    assert found.sample(Sampling(3, 0.2, 0.1, "seconds")).numbers == (1, 3)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_any_selection_gives_the_frames_of_decoding_everything(kind):
    content = draw.animation(draw.noise(13, 37, 53), kind, duration=40, **LOSSLESS[kind])
    everything = composited(content)
    found = footage.read(content, "clip")
    for sampling in (Sampling(), Sampling(3, 5), Sampling(1, 1, 12), Sampling(4, 2, 1)):
        clip = found.sample(sampling)
        assert np.array_equal(clip.frames, np.stack([everything[n] for n in clip.numbers]))


def layered(disposal):
    """Return a GIF whose later frames cover only a part, on a transparent ground."""
    frames = []
    for place in (2, 9, 20):
        picture = Image.new("RGBA", (43, 31), (0, 0, 0, 0))
        picture.paste((200, 40, 10, 255), (place, 5, place + 6, 20))
        frames.append(picture)
    file = io.BytesIO()
    options = {"disposal": disposal, "duration": 100, "loop": 0}
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize("disposal", [1, 2])
def test_transparent_parts_lie_on_white_and_frames_are_disposed_of(disposal):
    content = layered(disposal)
    clip = footage.read(content, "clip.gif").sample(ALL)
    assert np.array_equal(clip.frames, np.stack(composited(content)))
    assert (clip.frames[2, 10, 20:26] == (200, 40, 10)).all()
    assert (clip.frames[2, 25] == 255).all()
    left_over = (200, 40, 10) if disposal == 1 else (255, 255, 255)
    assert (clip.frames[2, 10, 2:8] == left_over).all()


@pytest.mark.parametrize("delay", [0, 10])
def test_a_frame_of_no_time_lasts_a_tenth_of_a_second(delay):
    content = draw.animation(draw.frames(4), "GIF", duration=delay)
    found = footage.read(content, "clip.gif")
    assert found.times == pytest.approx([0, 0.1, 0.2, 0.3])
    assert found.duration == pytest.approx(0.4)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_one_frame_is_the_picture_that_media_reads(kind):
    content = draw.animation(draw.frames(1), kind, **LOSSLESS[kind])
    found = footage.read(content, "clip")
    assert not found.is_clip
    clip, plain = found.sample(Sampling()), pictures.read(content, "clip")
    assert np.array_equal(clip.frames, plain.frames)
    assert (clip.numbers, clip.timestamps, clip.sha256) == ((), (0.0,), plain.sha256)


def test_a_picture_before_a_png_animation_is_no_frame_of_it():
    content = draw.animation(draw.frames(4), "PNG", duration=40, default_image=True)
    found = footage.read(content, "clip.png")
    assert found.times == pytest.approx([0, 0.04, 0.08])
    assert [draw.told(frame) for frame in found.sample(ALL).frames] == [1, 2, 3]


def test_only_the_frames_up_to_the_last_are_decoded_and_once(monkeypatch):
    content = draw.animation(draw.noise(40), "GIF", duration=40)
    seen = []
    original = GifImagePlugin.GifImageFile._seek

    def counted(self, frame, update_image=True):
        seen.append(frame)
        return original(self, frame, update_image)

    monkeypatch.setattr(GifImagePlugin.GifImageFile, "_seek", counted)
    found = footage.read(content, "clip.gif")
    assert max(seen) == 0
    seen.clear()
    found.sample(Sampling(3, 2, 5))
    assert [number for number in seen if number] == list(range(1, 10))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_of_a_gif_that_is_cut_the_whole_frames_can_be_used(keep):
    content = draw.animation(draw.noise(11), "GIF", duration=40)
    found = footage.read(content[: int(len(content) * keep)], "clip.gif")
    assert 1 < len(found.times) < 11
    everything = composited(content)
    clip = found.sample(ALL)
    assert np.array_equal(clip.frames, np.stack(everything[: len(found.times)]))
