"""Views that are cached: birds set into scenes, photographs in motion, rendered matches."""

import argparse
import json

import numpy as np
import pytest
import torch
from PIL import Image

from models.build import build
from models.specs.network import LiteSpec
from scripts.training.lite import cache_clips, cache_features
from scripts.training.lite.framings import frame, load_aspects
from scripts.training.lite.moving_photos import FRAMES, HIDDEN, moving_photo

pytestmark = pytest.mark.slow

SIDE = 64


def drawn(seed, high=70, wide=90):
    return np.random.default_rng(seed).integers(0, 256, (high, wide, 3), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_a_framed_bird_lies_in_its_box_at_its_own_aspect(seed):
    crop = np.full((50, 50, 3), 250, np.uint8)
    ground = np.zeros((80, 70, 3), np.uint8)
    found = frame(np.random.default_rng(seed), crop, 2.0, ground, SIDE)
    left, top, wide, high = found.box
    assert found.picture.shape == (SIDE, SIDE, 3)
    assert wide / high == pytest.approx(2, rel=0.2)
    assert 0 <= left <= SIDE - wide
    assert 0 <= top <= SIDE - high
    assert found.picture[top + high // 2, left + wide // 2].min() > 240


def test_aspects_are_those_of_the_boxes(tmp_path):
    (tmp_path / "bounding_boxes.txt").write_text("3 10.0 20.0 30.0 60.0\n")
    assert load_aspects(tmp_path) == {3: 0.5}


def test_a_moving_point_keeps_its_colour():
    """On a smooth photograph, a match shows what the reference shows."""
    y, x = np.mgrid[0:120, 0:140]
    photo = np.stack([x * 1.8, y * 2.1, x + y], 2).clip(0, 255).astype(np.uint8)
    piece = np.full((50, 50, 3), (255, 0, 255), np.uint8)
    made = moving_photo(np.random.default_rng(3), photo, piece, SIDE, 8, 20)
    assert made.frames.shape == (FRAMES, SIDE, SIDE, 3)
    middle = SIDE // 8 // 2
    cells = made.frames[:, middle :: SIDE // 8, middle :: SIDE // 8].reshape(FRAMES, 64, 3)
    steps = []
    for reference, matches in zip(made.references, made.matches, strict=True):
        t, cell = divmod(int(reference), 64)
        assert matches[t] == cell
        for k, match in enumerate(matches):
            if match != HIDDEN:
                steps.append(np.abs(cells[k, match].astype(int) - cells[t, cell]).max())
    assert len(steps) > 60
    assert np.quantile(steps, 0.8) < 40  # the piece's soft edge is neither one nor the other


def test_rendered_matches_follow_landmarks_and_the_kicking_foot_finds_the_ball():
    photos = [drawn(1, 300, 300)]
    for seed in range(6):
        made = cache_clips.rendered(np.random.default_rng(seed), photos)
        assert made.matches.shape == (cache_clips.REFERENCES, FRAMES)
        assert made.matches.max() < cache_clips.GRID**2
        assert made.references.max() < FRAMES * cache_clips.GRID**2


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(12):
        Image.fromarray(drawn(index)).save(folder / f"n{index:02d}.jpg")
    return folder


@pytest.fixture
def small_trunk(monkeypatch):
    torch.manual_seed(1)
    network = build(LiteSpec()).requires_grad_(False)
    for module in (cache_features, cache_clips):
        monkeypatch.setattr(module, "full_trunk", lambda: network)
    return network


def test_photos_are_cached_apart_from_the_held_out_ones_and_a_run_goes_on(
    photos, small_trunk, tmp_path, monkeypatch
):
    args = argparse.Namespace(photos=photos)
    views = cache_features.photo_views(args, train=True)
    held = cache_features.photo_views(args, train=False)
    assert {view.label for view in held} == {0, 10}
    assert {view.label for view in views} == set(range(12)) - {0, 10}
    cache_features.cache("photos-test", held, tmp_path)
    note = json.loads((tmp_path / "photos-test.json").read_text())
    assert note == {"done": 2, "labels": [0, 10]}
    kept = np.load(tmp_path / "photos-test.unit10.npy")
    assert kept.shape == (2, 88, 14, 14)
    (tmp_path / "photos-test.json").write_text(json.dumps({"done": 1, "labels": [0, 10]}))
    cache_features.cache("photos-test", held, tmp_path)
    assert np.array_equal(np.load(tmp_path / "photos-test.unit10.npy"), kept)


def test_clips_are_cached_with_their_matches(photos, small_trunk, tmp_path, monkeypatch):
    big = [np.asarray(Image.fromarray(drawn(5)).resize((300, 280)))]
    cache_clips.cache("clips-test", big, 2, tmp_path)
    assert np.load(tmp_path / "clips-test.unit14.npy").shape == (2, FRAMES, 120, 14, 14)
    assert np.load(tmp_path / "clips-test.matches.npy").shape == (2, 24, FRAMES)
    assert json.loads((tmp_path / "clips-test.json").read_text())["done"] == 2
