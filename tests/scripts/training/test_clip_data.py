"""Rendered training clips."""

import numpy as np
import pytest

from scripts.training import clip_data
from scripts.training.clip_data import LANDMARKS, NAMES, render


@pytest.fixture(scope="module")
def photos():
    draw = np.random.default_rng(0)
    return [draw.integers(0, 256, (71, 89, 3), dtype=np.uint8) for _ in range(3)]


@pytest.mark.parametrize("action", NAMES)
def test_every_action_is_rendered_with_its_landmarks(photos, action):
    frames, marks, event = render(np.random.default_rng(5), photos, action, 101)
    assert frames.shape == (8, 101, 101, 3)
    assert frames.dtype == np.uint8
    assert marks.shape == (8, len(LANDMARKS), 2)
    assert 0 <= event < 8


def test_a_clip_is_the_same_for_the_same_seed_and_another_for_another(photos):
    one, same, other = (
        render(np.random.default_rng(seed), photos, "kick", 64)[0] for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_ball_is_painted_at_its_landmark(photos, monkeypatch):
    """The same clip with and without a ball differs around the landmark and nowhere else."""
    monkeypatch.setattr(clip_data, "_occlude", lambda *_: None)
    seen, marks, _event = render(np.random.default_rng(8), photos, "no contact", 101)
    monkeypatch.setattr(clip_data, "draw_ball", lambda *_: None)
    bare, _marks, _event = render(np.random.default_rng(8), photos, "no contact", 101)
    changed = np.abs(seen.astype(int) - bare).sum(-1) > 20
    for frame, (x, y) in zip(changed, marks[:, 0], strict=True):
        rows, cols = np.nonzero(frame)
        if len(rows):
            assert np.hypot(rows - y, cols - x).max() < 12
    assert changed.any()
