"""Network input against torchvision's transforms, in both modes, for pictures and clips."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, v2

from models.specs.network import Preprocessing
from viz import geometry
from viz.attention import preprocess
from viz.types import Clip

PREP = Preprocessing(size=64, resize=73, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))


def clip_of(height, width, frames=1):
    generator = np.random.default_rng(31)
    pixels = generator.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    return Clip(pixels, tuple(range(frames)), "noise.png", "0" * 64)


def as_torchvision(clip, *steps):
    frames = torch.from_numpy(clip.frames).permute(0, 3, 1, 2)
    chain = v2.Compose(
        [v2.ToDtype(torch.float32, scale=True), *steps, v2.Normalize(PREP.mean, PREP.std)]
    )
    return chain(frames).transpose(0, 1).unsqueeze(0)


def resize(size):
    return v2.Resize(size, InterpolationMode.BILINEAR, antialias=True)


@pytest.mark.parametrize(("height", "width"), [(53, 67), (101, 201), (300, 97), (16, 64)])
def test_center_crop_equals_resize_and_center_crop_of_torchvision(height, width):
    clip = clip_of(height, width)
    found = preprocess.prepare(clip, PREP, "center-crop")
    assert found.tensor.shape == (1, 3, 1, 64, 64)
    expected = as_torchvision(clip, resize(73), v2.CenterCrop(64))
    torch.testing.assert_close(found.tensor, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("height", "width", "sides"), [(53, 67, (64, 64)), (101, 201, (32, 64)), (300, 97, (64, 32))]
)
def test_fit_equals_resize_of_torchvision_to_the_rounded_sides(height, width, sides):
    clip = clip_of(height, width)
    found = preprocess.prepare(clip, PREP, "fit")
    assert found.tensor.shape == (1, 3, 1, *sides)
    torch.testing.assert_close(
        found.tensor, as_torchvision(clip, resize(list(sides))), rtol=1e-4, atol=1e-4
    )
    assert found.geometry == geometry.fit(width, height, 64, 32)


def test_a_clip_keeps_its_frames_apart_and_in_order():
    clip = clip_of(53, 67, frames=3)
    found = preprocess.prepare(clip, PREP).tensor
    assert found.shape == (1, 3, 3, 64, 64)
    for t in range(3):
        alone = Clip(clip.frames[t : t + 1], (0.0,), "one", "0" * 64)
        assert torch.equal(found[:, :, t : t + 1], preprocess.prepare(alone, PREP).tensor)


def test_a_size_of_ones_own_scales_the_resize_with_it():
    plan = preprocess.prepare(clip_of(300, 200), PREP, "center-crop", 128).geometry
    assert (plan.input_width, plan.resized_width) == (128, 146)
    assert preprocess.prepare(clip_of(200, 300), PREP, "fit", 96).tensor.shape[-2:] == (64, 96)


def test_the_clip_itself_is_not_changed(tiny_clip):
    before = tiny_clip.frames.copy()
    preprocess.prepare(tiny_clip, PREP)
    assert np.array_equal(tiny_clip.frames, before)


def test_a_still_picture_is_held_for_the_frames_of_the_network_and_a_clip_is_not():
    still = replace(PREP, frames=5)
    found = preprocess.prepare(clip_of(53, 67), still).tensor
    assert found.shape == (1, 3, 5, 64, 64)
    alone = preprocess.prepare(clip_of(53, 67), PREP).tensor
    assert all(torch.equal(found[:, :, t], alone[:, :, 0]) for t in range(5))
    assert preprocess.prepare(clip_of(53, 67, frames=3), still).tensor.shape[2] == 3


def test_grey_networks_get_the_grey_that_pillow_makes():
    grey = Preprocessing(28, 28, (0.0,), (1.0,), stride=4)
    clip = clip_of(28, 28)
    found = preprocess.prepare(clip, grey).tensor
    assert found.shape == (1, 1, 1, 28, 28)
    expected = np.asarray(Image.fromarray(clip.frames[0]).convert("L")) / 255
    np.testing.assert_allclose(found[0, 0, 0].numpy(), expected, atol=1.01 / 255)


def test_grey_is_normalised_with_its_own_mean():
    plain, normed = (
        preprocess.prepare(clip_of(32, 32), Preprocessing(32, 32, mean, std, stride=4)).tensor
        for mean, std in (((0.0,), (1.0,)), ((0.25,), (0.5,)))
    )
    torch.testing.assert_close(normed, (plain - 0.25) / 0.5)
