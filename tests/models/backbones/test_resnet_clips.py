"""Clips through folded 2-D kernels against a network whose every kernel is 3-D."""

import pytest
import torch

from models.backbones.units import shift
from models.blocks.layout import fold_time, unfold_time
from models.build import build
from models.specs.network import ModelSpec, TemporalSpec
from models.specs.placement import Place
from tests.models.written.clips import PlainClipNetwork, randomise, shifted

I3D = ((0, 1, 2), (0, 2), (0, 2, 4), (1,))
SLOW = ((), (), (0, 1, 2, 3, 4, 5), (0, 1, 2))
ALL = tuple(tuple(range(n)) for n in (3, 4, 6, 3))
SMALL = ((0,), (1,), (0, 1), (0,))
SMALL_ALL = ((0,), (0, 1), (0, 1), (0,))

TIMES = {
    "frames apart": TemporalSpec(),
    "c2d": TemporalSpec(halve_after_res2=True),
    "c2d without padding": TemporalSpec(halve_after_res2=True, pool_padding=0),
    "2d stem with strides": TemporalSpec(stem_stride=2, pool_stride=2),
    "i3d": TemporalSpec(stem_frames=5, halve_after_res2=True, inflated=SMALL),
    "i3d strided": TemporalSpec(5, 2, 1, 2, halve_after_res2=True, inflated=SMALL),
    "i3d original": TemporalSpec(5, 2, 2, 2, 0, halve_after_res2=True, inflated=SMALL),
    "pooling over three frames": TemporalSpec(3, 1, 3, 1),
    "stem of seven": TemporalSpec(stem_frames=7, pool_frames=2),
    "slow only": TemporalSpec(inflated=((), (), (0, 1), (0,))),
    "shift": TemporalSpec(shifted=SMALL_ALL),
    "shift in some, inflated in others": TemporalSpec(
        inflated=SMALL, shifted=((), (0, 1), (), (0,))
    ),
}
PUBLISHED = {
    "i3d": TemporalSpec(5, 2, 2, 2, 0, halve_after_res2=True, inflated=I3D),
    "slow only": TemporalSpec(inflated=SLOW),
    "shift": TemporalSpec(shifted=ALL),
}


def made(depth, time, norm="batch"):
    spec = ModelSpec(depth=depth, base_width=8, num_classes=5, temporal=time, norm=norm)
    return randomise(build(spec)).double()


def clip(frames, seed=23):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, frames, 33, 37, generator=generator, dtype=torch.float64)


def assert_same_logits(network, depth, time, x):
    with torch.no_grad():
        found = network(x)
        expected = PlainClipNetwork(network.state_dict(), depth, time)(x)
    assert expected.std() > 1e-4
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("norm", ["batch", "affine"])
@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_a_clip_gives_what_kernels_in_three_dimensions_give(time, norm):
    assert_same_logits(made(20, time, norm), 20, time, clip(11))


@pytest.mark.parametrize("time", PUBLISHED.values(), ids=PUBLISHED)
def test_so_does_a_resnet_50_with_the_kernels_of_the_papers(time):
    assert_same_logits(made(50, time), 50, time, clip(8))


@pytest.mark.parametrize(
    "time",
    [
        TemporalSpec(),
        TemporalSpec(stem_frames=5, pool_stride=2, halve_after_res2=True, inflated=SMALL),
        TemporalSpec(inflated=SMALL, shifted=SMALL),
    ],
    ids=["frames apart", "inflated", "shifted"],
)
@pytest.mark.parametrize("depth", [14, 18])
def test_basic_units_do_too(depth, time):
    assert_same_logits(made(depth, time), depth, time, clip(7))


@pytest.mark.parametrize("frames", [1, 2, 3, 8])
@pytest.mark.parametrize("name", ["i3d", "shift", "slow only"])
def test_so_do_clips_of_any_length(name, frames):
    x = clip(max(frames, 2) if name == "i3d" else frames)
    assert_same_logits(made(20, TIMES[name]), 20, TIMES[name], x)


def test_every_way_of_seeing_time_gives_other_logits():
    """Otherwise the comparisons above would show nothing."""
    x = clip(11)
    logits = []
    for name in ("frames apart", "c2d", "c2d without padding", "2d stem with strides", "shift"):
        with torch.no_grad():
            logits.append(made(20, TIMES[name])(x))
    for k, first in enumerate(logits):
        assert all(not torch.allclose(first, other, rtol=1e-3) for other in logits[k + 1 :])


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_shift_moves_one_eighth_each_way(frames):
    x = torch.randn(3, 17, frames, 2, 5)
    found = unfold_time(shift(fold_time(x), frames), frames)
    assert torch.equal(found, shifted(x))
    assert torch.equal(found[:, 4:], x[:, 4:])


def test_the_last_frames_of_a_clip_reach_the_logits_only_where_time_is_not_strided_away():
    x = clip(4)
    network = made(20, TemporalSpec(stem_stride=2))
    with torch.no_grad():
        before = network(x)
        x[:, :, 1::2] = 0
        assert torch.equal(network(x), before)


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_the_moments_of_a_clip_are_told_before_it_runs(time):
    network = made(14, time)
    for frames in range(1, 14):
        told = time.moments(frames)
        if told:
            with torch.no_grad():
                left = network.features(clip(frames), Place(3, 0))
            assert left.shape[2] == told
        else:
            with pytest.raises(RuntimeError), torch.no_grad():
                network.features(clip(frames), Place(3, 0))
