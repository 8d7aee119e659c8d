"""The example clip: always the same bytes, and the foot where the example says it is."""

import hashlib

import numpy as np

from viz.examples import kick


def test_it_is_the_same_every_time():
    first = kick.clip()
    kick.clip.cache_clear()
    again = kick.clip()
    assert np.array_equal(first.frames, again.frames)
    assert first.sha256 == hashlib.sha256(again.frames.tobytes()).hexdigest()
    assert first.frames.shape == (32, 360, 480, 3)
    assert np.allclose(np.diff(first.timestamps), 1 / 16)


def test_the_foot_is_inside_and_the_ball_leaves_it_after_contact():
    clip = kick.clip()
    x, y = kick.foot_at(kick.CONTACT)
    assert 0 < x < clip.width
    assert 0 < y < clip.height
    foot = (slice(round(y) - 15, round(y) + 15), slice(round(x), round(x) + 45))
    rest, later = (clip.frames[k][foot].astype(int) for k in (0, -1))
    assert np.abs(rest - later).mean() > 10
