"""Specs as JSON and back: every kind, every tuple, and one line for anything else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import SpecError
from models.specs.block import (
    A2Spec,
    BAMSpec,
    CGNLSpec,
    GlobalContextSpec,
    NonLocalSpec,
    ResidualSpec,
)
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import (
    CompactSpec,
    DigitSpec,
    ModelSpec,
    Preprocessing,
    TemporalSpec,
)
from models.specs.spec_files import spec_from_dict, spec_to_dict

nonlocal_specs = st.builds(
    NonLocalSpec,
    function=st.sampled_from(["gaussian", "embedded_gaussian", "dot_product", "concatenation"]),
    scale=st.booleans(),
    pool_keys=st.sampled_from(["none", "before", "after"]),
    reduction=st.integers(1, 8),
    bias=st.booleans(),
    expand_bias=st.booleans(),
    norm=st.sampled_from(["batch", "none"]),
    group_frames=st.lists(st.tuples(st.integers(2, 5), st.integers(1, 9)), max_size=2).map(tuple),
)
cgnl_specs = st.builds(
    CGNLSpec,
    kernel=st.sampled_from(["dot_product", "embedded_gaussian", "gaussian_rbf"]),
    groups=st.integers(1, 64),
    order=st.none() | st.integers(1, 12),
    gamma=st.floats(1e-6, 1),
    scale=st.booleans(),
    l2_normalise=st.booleans(),
)
other_blocks = st.sampled_from([ResidualSpec(4), A2Spec(3), BAMSpec(8, 2), GlobalContextSpec(4)])
gates = st.none() | st.sampled_from(
    [CGDSpec("v3", "space", "conv2", False), SESpec(4), CBAMSpec(4, 3)]
)
places = st.sampled_from(["1", "1-after", "5", "10", ("res3.1", "res4.5"), ("res2.0",)])
units = st.lists(st.integers(0, 5), max_size=3).map(tuple)
times = st.builds(
    TemporalSpec,
    stem_frames=st.sampled_from([1, 3, 5, 7]),
    stem_stride=st.sampled_from([1, 2]),
    pool_frames=st.sampled_from([1, 2, 3]),
    pool_stride=st.sampled_from([1, 2]),
    pool_padding=st.sampled_from([0, 1]),
    halve_after_res2=st.booleans(),
    inflated=st.tuples(units, units, units, units),
    shifted=st.tuples(units, units, units, units),
)
preparations = st.one_of(
    st.builds(
        Preprocessing,
        size=st.integers(32, 448),
        resize=st.integers(448, 600),
        mean=st.tuples(*[st.floats(-1, 1)] * 3),
        frames=st.integers(1, 64),
        frame_stride=st.integers(1, 16),
    ),
    st.just(Preprocessing(28, 28, (0.0,), (1.0,), stride=4)),
)
standing = st.one_of(
    st.just((None, "none")), st.tuples(nonlocal_specs | cgnl_specs | other_blocks, places)
)
resnets = st.builds(
    lambda where, **rest: ModelSpec(block=where[0], placement=where[1], **rest),
    standing,
    depth=st.sampled_from([14, 18, 20, 34, 50, 101, 152]),
    base_width=st.integers(8, 100),
    num_classes=st.integers(1, 2000),
    dropout=st.floats(0, 1),
    preprocessing=preparations,
    temporal=times,
    norm=st.sampled_from(["batch", "affine"]),
    gate=gates,
)
compacts = st.builds(
    CompactSpec,
    family=st.sampled_from(["mobilenet", "squeezenet", "preresnet", "wrn"]),
    size_name=st.sampled_from(["1.0", "56", "28-8"]),
    num_classes=st.integers(1, 2000),
    gate=gates,
    preprocessing=preparations,
)
digits = st.builds(DigitSpec, nonlocal_specs, base_width=st.integers(8, 64))


@settings(max_examples=60, deadline=None)
@given(spec=resnets | compacts | digits)
def test_a_spec_survives_json_and_back(spec):
    again = spec_from_dict(json.loads(json.dumps(spec_to_dict(spec))))
    assert again == spec
    assert hash(again) == hash(spec)


@pytest.mark.parametrize(
    ("spec", "kind", "block"),
    [
        (ModelSpec(), "resnet", None),
        (ModelSpec(block=CGNLSpec(), placement="1"), "resnet", "cgnl"),
        (ModelSpec(block=A2Spec(), placement="1"), "resnet", "a2"),
        (ModelSpec(block=GlobalContextSpec(), placement="1"), "resnet", "global context"),
        (CompactSpec(), "compact", None),
        (DigitSpec(NonLocalSpec()), "digits", "nonlocal"),
    ],
)
def test_files_name_the_kind_of_network_and_of_block(spec, kind, block):
    plain = spec_to_dict(spec)
    assert plain["kind"] == kind
    assert (plain.get("block") or {"kind": None})["kind"] == block


def test_what_is_left_out_is_as_the_specs_have_it():
    assert spec_from_dict({}) == ModelSpec()
    assert spec_from_dict({"kind": "compact"}) == CompactSpec()
    assert spec_from_dict({"temporal": {"stem_frames": 5}}).temporal == TemporalSpec(stem_frames=5)


@pytest.mark.parametrize(
    "plain",
    [
        {"depth": [50]},
        {"depth": 51},
        {"colour": 3},
        {"new\nline": 3},
        {"kind": "transformer"},
        {"kind": ["resnet"]},
        {"kind": "digits"},
        {"kind": "compact", "depth": 50},
        {"block": {"kind": "fourier"}, "placement": "1"},
        {"block": {"function": "gaussian"}, "placement": "1"},
        {"block": {"kind": "nonlocal", "heads": 8}, "placement": "1"},
        {"block": {"kind": "nonlocal", "pool_keys": True}, "placement": "1"},
        {"block": {"kind": "nonlocal", "group_frames": 4}, "placement": "1"},
        {"block": {"kind": "nonlocal", "group_frames": [4]}, "placement": "1"},
        {"block": {"kind": "nonlocal", "group_frames": [["3", 4]]}, "placement": "1"},
        {"block": "nonlocal", "placement": "1"},
        {"block": ["nonlocal"], "placement": "1"},
        {"block": {"kind": "nonlocal"}, "placement": 4},
        {"block": {"kind": "nonlocal"}, "placement": {"res4": 1}},
        {"block": {"kind": "nonlocal", "reduction": 2.5}, "placement": "1"},
        {"block": {"kind": "cgnl", "gamma": "small"}, "placement": "1"},
        {"gate": {"kind": "cgd", "variant": 10}},
        {"gate": "cgd"},
        {"gate": {"kind": "nonlocal"}},
        {"base_width": "64"},
        {"base_width": 64.0},
        {"num_classes": "1000"},
        {"num_classes": True},
        {"norm": None},
        {"preprocessing": {"mean": 3}},
        {"preprocessing": {"size": "large"}},
        {"preprocessing": {"mean": [0.5], "std": [0.5, 0.5]}},
        {"preprocessing": {"mean": ["a", "b", "c"]}},
        {"preprocessing": None},
        {"preprocessing": [224, 256]},
        {"temporal": {"inflated": 3}},
        {"temporal": {"inflated": [1, 2, 3, 4]}},
        {"temporal": {"halve_after_res2": "yes"}},
        {"temporal": "i3d"},
        [1, 2],
        "resnet",
        None,
    ],
    ids=repr,
)
def test_a_wrong_entry_in_plain_values_is_refused_in_one_line(plain, one_line):
    with pytest.raises(SpecError) as caught:
        spec_from_dict(plain)
    one_line(caught.value)
