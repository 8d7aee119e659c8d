"""Network descriptions: contradictions refused in one line, a round trip through JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import SpecError
from models.specs import (
    CGNLSpec,
    ModelSpec,
    NonLocalSpec,
    Preprocessing,
    spec_from_dict,
    spec_to_dict,
)

nonlocal_specs = st.builds(
    NonLocalSpec,
    function=st.sampled_from(["gaussian", "embedded_gaussian", "dot_product", "concatenation"]),
    scale=st.booleans(),
    pool_keys=st.booleans(),
    reduction=st.integers(1, 8),
    bias=st.booleans(),
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
blocks_and_placements = st.one_of(
    st.just((None, "none")),
    st.tuples(nonlocal_specs | cgnl_specs, st.sampled_from(["1", "1-after", "5"])),
)


@settings(max_examples=50, deadline=None)
@given(
    depth=st.sampled_from([50, 101, 152]),
    width=st.integers(1, 16).map(lambda k: 8 * k),
    standing=blocks_and_placements,
    classes=st.integers(1, 2000),
    size=st.integers(32, 448),
)
def test_a_spec_survives_json_and_back(depth, width, standing, classes, size):
    block, placement = standing
    spec = ModelSpec(
        depth=depth,
        base_width=width,
        block=block,
        placement=placement,
        num_classes=classes,
        preprocessing=Preprocessing(size=size, resize=size + 32, mean=(0.1, 0.2, 0.3)),
    )
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


CONTRADICTIONS = {
    "depth": lambda: ModelSpec(depth=34),
    "block without a place": lambda: ModelSpec(block=NonLocalSpec()),
    "place without a block": lambda: ModelSpec(placement="5"),
    "unknown placement": lambda: ModelSpec(block=NonLocalSpec(), placement="7"),
    "narrow": lambda: ModelSpec(base_width=0),
    "not a multiple of 8": lambda: ModelSpec(base_width=20),
    "pairwise": lambda: NonLocalSpec(function="cosine"),
    "reduction": lambda: NonLocalSpec(reduction=0),
    "kernel": lambda: CGNLSpec(kernel="laplace"),
    "groups": lambda: CGNLSpec(groups=0),
    "order 0": lambda: CGNLSpec(order=0),
    "order 13": lambda: CGNLSpec(order=13),
    "no classes": lambda: ModelSpec(num_classes=0),
    "too many classes": lambda: ModelSpec(num_classes=10**9),
    "too wide": lambda: ModelSpec(base_width=8 * 10**6),
    "dropout": lambda: ModelSpec(dropout=1.5),
    "crop over resize": lambda: Preprocessing(size=224, resize=200),
    "no size": lambda: Preprocessing(size=0, resize=0),
}


@pytest.mark.parametrize("made", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_refused_in_one_line(made, one_line):
    with pytest.raises(SpecError) as caught:
        made()
    one_line(caught.value)


@pytest.mark.parametrize(
    "plain",
    [
        {"depth": [50]},
        {"colour": 3},
        {"new\nline": 3},
        {"block": {"kind": "fourier"}, "placement": "1"},
        {"block": {"function": "gaussian"}, "placement": "1"},
        {"block": {"kind": "nonlocal", "heads": 8}, "placement": "1"},
        {"block": "nonlocal", "placement": "1"},
        {"base_width": "64"},
        {"base_width": 64.0},
        {"num_classes": "1000"},
        {"block": {"kind": "nonlocal", "reduction": 2.5}, "placement": "1"},
        {"block": {"kind": "cgnl", "gamma": "small"}, "placement": "1"},
        {"preprocessing": {"mean": 3}},
        {"preprocessing": {"size": "large"}},
        {"preprocessing": {"mean": [0.5], "std": [0.5]}},
        [1, 2],
        None,
    ],
    ids=repr,
)
def test_a_wrong_entry_in_plain_values_is_refused_in_one_line(plain, one_line):
    with pytest.raises(SpecError) as caught:
        spec_from_dict(plain)
    one_line(caught.value)
