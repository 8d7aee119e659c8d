"""Bad inputs by the thousand: one line or a good file, within 10 s and 1.5 GB, nothing else.

A part runs with all tests; NONLOCAL_VIZ_ABUSE=all (`make abuse`) runs everything.
"""

import os
import time
import warnings

import numpy as np
import pytest

from errors import AttentionVizError
from tests.abuse.inputs.samples import SAMPLES, mutated, sample
from tests.abuse.measured import measured
from tests.conftest import assert_one_line

pytestmark = pytest.mark.slow

IS_ALL = os.environ.get("NONLOCAL_VIZ_ABUSE") == "all"
MUTATIONS = int(os.environ.get("NONLOCAL_VIZ_MUTATIONS", 2000 if IS_ALL else 8))
CUTS = 64 if IS_ALL else 3
SECONDS, MEGABYTES = 10, 1500


def tried(kind, content, name):
    """Read a file; return 1 if it was refused. Anything else than one line fails the test."""
    began = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            SAMPLES[kind][1](content, name)
        refused = 0
    except AttentionVizError as problem:
        assert_one_line(problem)
        refused = 1
    assert time.monotonic() - began < SECONDS * (1 if IS_ALL else 3), name
    return refused


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_good_file_is_read(kind):
    assert tried(kind, sample(kind), f"good {kind}") == 0


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", SAMPLES)
def test_mutations_are_read_or_refused(kind):
    draw = np.random.default_rng(list(kind.encode()))
    with measured() as cost:
        for number in range(MUTATIONS):
            tried(kind, mutated(sample(kind), draw), f"{kind} {number}")
    assert cost.megabytes < MEGABYTES


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", SAMPLES)
def test_cut_files_and_files_that_begin_as_others_are_read_or_refused(kind):
    content = sample(kind)
    with measured() as cost:
        for length in np.linspace(0, len(content) - 1, CUTS).astype(int):
            tried(kind, content[:length], f"{kind} {length}")
            tried(kind, content[:length] + bytes(len(content) - length), f"{kind} {length} zeros")
        others = list(SAMPLES) if IS_ALL else ["png", "zip"]
        for other in others:
            tried(kind, sample(other), f"{other} as {kind}")
            tried(kind, sample(other)[:64] + content[64:], f"{other} before {kind}")
            tried(kind, content + sample(other), f"{other} behind {kind}")
    assert cost.megabytes < MEGABYTES


def test_all_of_it_is_as_much_as_was_promised():
    inputs = len(SAMPLES) * (2 * 64 + 3 * len(SAMPLES))
    assert inputs >= 1500
    assert len(SAMPLES) >= 22
