"""What a capture holds, and its memory: the last results by key, shared by threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import viz
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.viz.attention.captured import SMALL, captured, cgnl_block, nl_block
from viz.attention import queries
from viz.attention.captures import Memory


def never():
    pytest.fail("the result was kept and need not be made again")


def test_a_result_is_made_once_and_then_the_same_object():
    memory, made = Memory(), []

    def make():
        made.append([7])
        return made[-1]

    assert memory.once("key", make) is memory.once("key", never) is made[0]
    assert len(made) == 1
    assert memory.once("other", make) is not made[0]


@pytest.mark.parametrize("nothing", [None, 0, (), ""])
def test_a_result_that_is_nothing_is_kept_too(nothing):
    memory = Memory()
    memory.once("key", lambda: nothing)
    assert memory.once("key", never) == nothing


def test_the_longest_unused_result_goes_first():
    memory = Memory(3)
    for key in "abc":
        memory.once(key, lambda key=key: key.upper())
    memory.once("a", never)
    memory.once("d", lambda: "D")
    assert memory.values() == ("C", "A", "D")
    memory.once("c", never)
    memory.once("b", lambda: "again")
    assert memory.values() == ("D", "C", "again")


@settings(deadline=None)
@given(keys=st.lists(st.integers(0, 7), max_size=60), most=st.integers(1, 5))
def test_it_keeps_the_last_used_keys_as_a_plain_list_would(keys, most):
    memory, expected, made = Memory(most), [], []
    for key in keys:
        memory.once(key, lambda key=key: made.append(key) or key)
        found = key in expected
        expected = [k for k in expected if k != key] + [key]
        if not found:
            expected = expected[-most:]
            assert made[-1] == key
    assert list(memory.values()) == expected


def test_what_cannot_be_made_is_not_kept_and_can_be_asked_for_again():
    memory = Memory()

    def breaks():
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        memory.once("key", breaks)
    assert memory.values() == ()
    assert memory.once("key", lambda: 7) == 7


def test_a_result_may_be_made_of_others_from_the_same_memory():
    memory = Memory()
    assert memory.once("sum", lambda: memory.once("part", lambda: 5) + 2) == 7
    assert memory.values() == (5, 7)


def test_threads_that_make_different_results_do_not_wait_for_each_other():
    memory, both = Memory(), threading.Barrier(2, timeout=10)

    def make(key):
        return memory.once(key, lambda: both.wait() or key)

    with ThreadPoolExecutor(2) as pool:
        assert set(map(type, pool.map(make, ("a", "b")))) <= {int, str}


@dataclass(frozen=True)
class SlowKey:
    """A key that lets other threads go on whenever a table looks for it."""

    number: int

    def __hash__(self):
        time.sleep(0)
        return hash(self.number)


def test_many_threads_share_it_and_it_never_grows_beyond_its_bound():
    memory, together, largest = Memory(11), threading.Barrier(13, timeout=30), []

    def work(seed):
        together.wait()
        for step in range(200):
            key = SlowKey((seed * 31 + step * 17) % 29)
            assert memory.once(key, lambda key=key: ("made", key)) == ("made", key)
            largest.append(len(memory.values()))

    with ThreadPoolExecutor(13) as pool:
        list(pool.map(work, range(13)))
    assert len(largest) == 13 * 200
    assert max(largest) == 11
    assert len({number for _made, number in memory.values()}) == 11


@pytest.mark.parametrize(
    ("frames", "moments", "expected"),
    [
        (1, 1, [0]),
        (1, 7, [0]),
        (7, 7, [0, 1, 2, 3, 4, 5, 6]),
        (6, 3, [0, 0, 1, 1, 2, 2]),
        (5, 2, [0, 0, 0, 1, 1]),
    ],
)
def test_a_frame_lies_in_the_moment_of_its_share_of_the_clip(frames, moments, expected):
    capture = captured(frames=frames)
    assert [capture.moment(frame, Grid(moments, 3, 5)) for frame in range(frames)] == expected


def test_a_capture_and_its_blocks_cannot_be_changed():
    block = nl_block("gaussian", SMALL, SMALL)
    capture = captured(block)
    with pytest.raises(FrozenInstanceError):
        capture.frames = 2
    with pytest.raises(FrozenInstanceError):
        block.queries = torch.zeros(1)
    assert captured(block) != capture
    assert replace(block) != block


def test_a_blocks_tensors_are_all_that_it_holds():
    block = cgnl_block(CGNLSpec(groups=2), SMALL)
    assert [id(one) for one in block.tensors] == [
        id(one) for one in (block.theta, block.phi, block.g, block.block_input)
    ]
    assert (block.label, block.kind) == ("res4.4", "channels")


def test_its_size_counts_every_tensor_once_and_what_was_derived():
    block = nl_block("dot_product", SMALL, SMALL, width=11, channels=13)
    capture = captured(block)
    own = 4 * (30 * 11 + 30 * 11 + 13 * 30)
    assert capture.nbytes == own
    queries.block_of(capture, kind="features")
    assert capture.nbytes == own + 4 * 30 * 13
    queries.block_of(capture, kind="class maps")
    assert capture.nbytes == own + 4 * 30 * 13
    capture.memory.once("map", lambda: torch.zeros(1000))
    assert capture.nbytes == own + 4 * 30 * 13


def test_the_memory_is_of_one_capture_alone(nl_model, tiny_clip):
    first, second = (viz.capture(nl_model, tiny_clip) for _ in range(2))
    assert first.memory is not second.memory
    queries.block_of(first, kind="features")
    assert second.memory.values() == ()
