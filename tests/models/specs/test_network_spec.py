"""Network descriptions: contradictions refused in one line, whatever type they come in."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import SpecError
from models.specs.block import A2Spec, BAMSpec, CGNLSpec, NonLocalSpec, ResidualSpec
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import (
    CompactSpec,
    DigitSpec,
    ModelSpec,
    Preprocessing,
    TemporalSpec,
)
from tests.conftest import assert_one_line

NL = NonLocalSpec()

CONTRADICTIONS = {
    "depth": lambda: ModelSpec(depth=51),
    "depth of text": lambda: ModelSpec(depth="50"),
    "block without a place": lambda: ModelSpec(block=NL),
    "block with an empty list of places": lambda: ModelSpec(block=NL, placement=()),
    "place without a block": lambda: ModelSpec(placement="5"),
    "listed place without a block": lambda: ModelSpec(placement=("res4.1",)),
    "unknown placement": lambda: ModelSpec(block=NL, placement="7"),
    "placement that is a number": lambda: ModelSpec(block=NL, placement=5),
    "no width": lambda: ModelSpec(base_width=0),
    "too narrow": lambda: ModelSpec(base_width=7),
    "too wide": lambda: ModelSpec(base_width=8 * 10**6),
    "fewer than no classes": lambda: ModelSpec(num_classes=-1),
    "groups that do not divide": lambda: ModelSpec(groups=7),
    "wide basic units": lambda: ModelSpec(depth=18, widening=2),
    "widening of nothing": lambda: ModelSpec(widening=0),
    "too many classes": lambda: ModelSpec(num_classes=10**9),
    "dropout": lambda: ModelSpec(dropout=1.5),
    "norm of the network": lambda: ModelSpec(norm="group"),
    "pairwise": lambda: NonLocalSpec(function="cosine"),
    "pooling that was a switch once": lambda: NonLocalSpec(pool_keys=True),
    "pooling": lambda: NonLocalSpec(pool_keys="during"),
    "norm of the block": lambda: NonLocalSpec(norm="layer"),
    "scale of a number": lambda: NonLocalSpec(scale=1),
    "bias of text": lambda: NonLocalSpec(bias="no"),
    "expand bias": lambda: NonLocalSpec(expand_bias=None),
    "reduction": lambda: NonLocalSpec(reduction=0),
    "groups that are no pair": lambda: NonLocalSpec(group_frames=((3, 4, 5),)),
    "groups that are a list": lambda: NonLocalSpec(group_frames=([3, 4],)),
    "groups of no stage": lambda: NonLocalSpec(group_frames=((6, 4),)),
    "groups of no frames": lambda: NonLocalSpec(group_frames=((3, 0),)),
    "kernel": lambda: CGNLSpec(kernel="laplace"),
    "groups": lambda: CGNLSpec(groups=0),
    "order 0": lambda: CGNLSpec(order=0),
    "order 13": lambda: CGNLSpec(order=13),
    "gamma": lambda: CGNLSpec(gamma=-1),
    "cgnl scale": lambda: CGNLSpec(scale="no"),
    "unit length": lambda: CGNLSpec(l2_normalise=1),
    "gamma without a value": lambda: CGNLSpec(gamma=math.nan),
    "residual": lambda: ResidualSpec(reduction=65),
    "a2": lambda: A2Spec(reduction=0),
    "bam": lambda: BAMSpec(dilation=0),
    "variant": lambda: CGDSpec(variant="v11"),
    "axis": lambda: CGDSpec(axis="time"),
    "position": lambda: CGDSpec(position="out"),
    "cgd bias": lambda: CGDSpec(bias=1),
    "se": lambda: SESpec(reduction=0),
    "cbam": lambda: CBAMSpec(kernel=4),
    "crop over resize": lambda: Preprocessing(size=224, resize=200),
    "no size": lambda: Preprocessing(size=0, resize=0),
    "size below the stride": lambda: Preprocessing(size=16),
    "two channels": lambda: Preprocessing(mean=(0.5, 0.5), std=(0.5, 0.5)),
    "grey mean, coloured deviation": lambda: Preprocessing(mean=(0.5,)),
    "no deviation": lambda: Preprocessing(std=(0.0, 1.0, 1.0)),
    "mean without a value": lambda: Preprocessing(mean=(math.nan, 0.0, 0.0)),
    "no frames": lambda: Preprocessing(frames=0),
    "too many frames": lambda: Preprocessing(frames=257),
    "no stride between frames": lambda: Preprocessing(frame_stride=0),
    "even kernel in time": lambda: TemporalSpec(stem_frames=4),
    "stem stride": lambda: TemporalSpec(stem_stride=3),
    "pool frames": lambda: TemporalSpec(pool_frames=4),
    "pool stride": lambda: TemporalSpec(pool_stride=0),
    "pool padding": lambda: TemporalSpec(pool_padding=2),
    "pool padding as a switch": lambda: TemporalSpec(pool_padding=True),
    "three stages": lambda: TemporalSpec(inflated=((), (), ())),
    "stages that are numbers": lambda: TemporalSpec(shifted=(1, 2, 3, 4)),
    "halving of text": lambda: TemporalSpec(halve_after_res2="no"),
    "negative unit": lambda: TemporalSpec(shifted=((-1,), (), (), ())),
    "unit of text": lambda: TemporalSpec(inflated=(("1",), (), (), ())),
    "compact family": lambda: CompactSpec(family="vgg"),
    "compact classes": lambda: CompactSpec(num_classes=0),
    "digit classes": lambda: DigitSpec(NL, num_classes=0),
    "digit width": lambda: DigitSpec(NL, base_width=1),
}


@pytest.mark.parametrize("made", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_refused_in_one_line(made, one_line):
    with pytest.raises(SpecError) as caught:
        made()
    one_line(caught.value)


FIELDS = [
    (ModelSpec, "depth"),
    (ModelSpec, "base_width"),
    (ModelSpec, "num_classes"),
    (ModelSpec, "dropout"),
    (ModelSpec, "norm"),
    (NonLocalSpec, "function"),
    (NonLocalSpec, "pool_keys"),
    (NonLocalSpec, "reduction"),
    (NonLocalSpec, "norm"),
    (CGNLSpec, "kernel"),
    (CGNLSpec, "groups"),
    (CGNLSpec, "gamma"),
    (Preprocessing, "size"),
    (Preprocessing, "resize"),
    (Preprocessing, "stride"),
    (Preprocessing, "frames"),
    (TemporalSpec, "stem_frames"),
    (TemporalSpec, "stem_stride"),
    (TemporalSpec, "pool_frames"),
    (CGDSpec, "variant"),
    (CompactSpec, "num_classes"),
]
strange = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=9),
    st.just(math.nan),
    st.just(math.inf),
    st.integers(max_value=-1),
    st.integers(min_value=10**6),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda v: getattr(v, "__name__", v))
@settings(max_examples=25, deadline=None)
@given(value=strange)
def test_no_field_takes_a_value_of_another_kind(kind, name, value):
    with pytest.raises(SpecError) as caught:
        kind(**{name: value})
    assert_one_line(caught.value)


def test_channels_are_counted_by_the_means():
    assert Preprocessing().channels == 3
    assert Preprocessing(mean=(0.1,), std=(0.3,)).channels == 1


@pytest.mark.parametrize(
    ("time", "reads"),
    [
        (TemporalSpec(), False),
        (TemporalSpec(pool_padding=0), False),
        (TemporalSpec(halve_after_res2=True), True),
        (TemporalSpec(stem_frames=5), True),
        (TemporalSpec(shifted=((0,), (), (), ())), True),
    ],
)
def test_a_network_reads_time_when_frames_meet_before_the_classifier(time, reads):
    assert time.reads_time == reads


def test_groups_of_frames_are_those_of_the_stage():
    spec = NonLocalSpec(group_frames=((3, 4), (4, 2)))
    assert [spec.frames_per_group(stage) for stage in (2, 3, 4)] == [None, 4, 2]


@pytest.mark.parametrize(("depth", "expansion"), [(14, 1), (18, 1), (20, 4), (34, 1), (50, 4)])
def test_bottlenecks_widen_fourfold_and_basic_units_do_not(depth, expansion):
    assert ModelSpec(depth=depth).expansion == expansion


@pytest.mark.parametrize("gate", [SESpec(), CBAMSpec()])
def test_comparison_gates_stand_before_the_addition(gate):
    assert gate.position == "out"
