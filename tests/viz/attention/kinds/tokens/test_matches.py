"""Two pictures: matches of a patch, and mutual nearest neighbours, against slow loops."""

import numpy as np
import pytest

import viz
from errors import InputError
from models.specs.network import Preprocessing
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import picture_network
from tests.viz.attention.captured import cells
from viz.types import Clip

KINDS = pytest.mark.parametrize("kind", ["features", "queries", "keys"])


@pytest.fixture
def model():
    prep = Preprocessing(size=64, resize=64, stride=16, fixed=True)
    return wrap(picture_network("vit"), prep)


@pytest.fixture
def moved(tiny_clip):
    """The picture, rolled: the same patches at other places."""
    frames = np.roll(tiny_clip.frames, (tiny_clip.height // 3, tiny_clip.width // 5), (1, 2))
    return Clip(frames, tiny_clip.timestamps, "moved", "1" * 64)


def vectors(capture, kind):
    from viz.attention.queries import block_of

    found = block_of(capture, kind=kind)
    return found.features.double().numpy(), found.query_grid


@KINDS
def test_a_patch_of_one_picture_is_compared_with_every_patch_of_the_other(
    model, tiny_clip, moved, kind
):
    a, b = viz.capture(model, tiny_clip), viz.capture(model, moved)
    at = (tiny_clip.width / 2 + 1, tiny_clip.height / 2 + 1)
    found = viz.matches(a, at, b, kind=kind)
    (first, grid), (second, _) = vectors(a, kind), vectors(b, kind)
    own = first[found.query.cell.position(grid)]
    expected = [sum(p * q for p, q in zip(own, other, strict=True)) for other in second]
    np.testing.assert_allclose(found.values.ravel(), expected, atol=1e-5)
    assert found.values.shape == grid


@KINDS
def test_mutual_matches_are_each_others_nearest(model, tiny_clip, moved, kind):
    a, b = viz.capture(model, tiny_clip), viz.capture(model, moved)
    (first, grid), (second, _) = vectors(a, kind), vectors(b, kind)
    table = first @ second.T
    expected = {
        (i, int(row.argmax())): row.max()
        for i, row in enumerate(table)
        if table[:, row.argmax()].argmax() == i
    }
    found = viz.mutual_matches(a, b, kind=kind, most=100)
    centres = [a.geometry.cell_centre(c.y, c.x, grid) for c in cells(grid)]
    assert [m.cosine for m in found] == sorted((m.cosine for m in found), reverse=True)
    assert {(centres.index(m.a[:2]), centres.index(m.b[:2])) for m in found} == set(expected)
    assert len(viz.mutual_matches(a, b, kind=kind, most=1)) == 1


def test_a_picture_matches_itself(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    for one in viz.mutual_matches(capture, capture, most=100):
        assert one.a == one.b
        assert one.cosine == pytest.approx(1, abs=1e-5)


def test_what_cannot_be_compared_is_refused(model, tiny_clip, nl_model):
    a, b = viz.capture(model, tiny_clip), viz.capture(nl_model, tiny_clip)
    with pytest.raises(InputError, match="capture both pictures with one network"):
        viz.matches(a, (30, 30), b)
    with pytest.raises(InputError, match="has no vectors to compare; use features"):
        viz.mutual_matches(a, a, kind="rollout")
