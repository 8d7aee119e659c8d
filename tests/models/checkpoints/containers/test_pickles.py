"""Pickles as data: everything is described, nothing is run, and no bomb goes off."""

import copyreg
import io
import os
import pickle
import random
import struct
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import CheckpointError
from models.checkpoints.containers import pickles, stack_machine
from models.checkpoints.containers.pickles import Described, Named, describe
from tests.models.written import planted


def admit(*dotted):
    def check(asked):
        if asked not in dotted:
            pickles.refuse(asked)

    return check


def told(data, *admitted):
    return describe(io.BytesIO(data), admit(*admitted)).value


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text() | st.integers(-(2**63), 2**63) | st.none(), inner, max_size=4)
    | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(plain, st.integers(0, 5))
def test_plain_values_are_read_as_python_reads_them(value, protocol):
    data = pickle.dumps(value, protocol=protocol)
    assert told(data, "_codecs.encode", "builtins.bytes") == value


def test_collections_become_plain_dictionaries_and_lists():
    ordered = OrderedDict(a=1, b=[2])
    assert told(pickle.dumps(ordered, 2), "collections.OrderedDict") == {"a": 1, "b": [2]}
    pairs = b"ccollections\nOrderedDict\n((lp0\n(lp1\nS'a'\naI1\naatR."  # as Python 2 writes it
    assert told(pairs, "collections.OrderedDict") == {"a": 1}
    assert told(pickle.dumps(Counter("aab"), 2), "collections.Counter") == {"a": 2, "b": 1}
    nested = defaultdict(list, a=[1])
    assert told(pickle.dumps(nested, 2), "collections.defaultdict", "builtins.list") == {"a": [1]}


def test_a_call_is_written_down_with_its_state():
    names = ("numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype")
    described = told(pickle.dumps(np.arange(5, dtype="<i2"), 2), *names, "_codecs.encode")
    assert isinstance(described, Described)
    assert described.what == names[0]
    assert described.args == (Named("numpy.ndarray"), (0,), b"b")
    assert described.state[1] == (5,)
    assert described.state[-1] == np.arange(5, dtype="<i2").tobytes()


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (pickle.dumps(planted.Planted(os.system, "true"), 0), "posix.system"),
        (pickle.dumps(planted.Planted(eval, "1"), 2), "builtins.eval"),
        (pickle.dumps([planted.Planted(os.system, "true")], 4), "posix.system"),
        (b"\x80\x04\x8c\x02os\x8c\x05popen\x93\x8c\x02id\x85R.", "os.popen"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'true'\no.", "os.system"),
        (b"\x80\x02cos\nsystem\n)\x81.", "os.system"),
        (b"\x80\x04cos\nsystem\n)}\x92.", "os.system"),
        (b"ccopy_reg\n_reconstructor\n.", "copyreg._reconstructor"),
        (b"c__builtin__\n__import__\n(S'os'\ntR.", "builtins.__import__"),
        (b"cposix\nsystem\n\n.", "posix.system"),
        (b"\x82\x01.", "extension 1"),
        (b"\x83\x01\x01.", "extension 257"),
        (b"\x84\x01\0\0\0.", "extension 1"),
    ],
)  # fmt: skip
def test_a_global_is_refused_by_its_name(program, name):
    with pytest.raises(CheckpointError, match=f"asks to run '{name}'; refused, and nothing"):
        told(program)


def test_the_extension_registry_is_not_consulted(request):
    copyreg.add_extension("posix", "system", 240)
    request.addfinalizer(lambda: copyreg.remove_extension("posix", "system", 240))
    with pytest.raises(CheckpointError, match="extension 240"):
        told(b"\x82\xf0.", "posix.system")


@pytest.mark.parametrize(
    "arguments",
    [b"(cnumpy\nndarray\nS'tofile'\ntR.", b"(I1\nS'real'\ntR.", b")R."],
)
def test_getattr_reaches_into_mmengine_only(arguments):
    with pytest.raises(CheckpointError, match=r"asks to run 'builtins\.getattr'"):
        told(b"c__builtin__\ngetattr\n" + arguments, "builtins.getattr", "numpy.ndarray")


def test_what_a_call_returned_is_not_called():
    buffer = "mmengine.logging.HistoryBuffer"
    program = b"c__builtin__\ngetattr\n(cmmengine.logging\nHistoryBuffer\nS'__init__'\ntR(S'x'\ntR."
    with pytest.raises(CheckpointError, match="asks to run the result of a call"):
        told(program, "builtins.getattr", buffer)
    with pytest.raises(CheckpointError, match="asks to run a value"):
        told(b"S'text'\n(tR.")


def test_persistent_ids_and_attributes_are_refused():
    for program in (b"Pnumber 1\n.", b"K\x01Q."):
        with pytest.raises(CheckpointError, match="outside its pickle"):
            told(program)
    with pytest.raises(CheckpointError, match="sets attributes"):
        told(b"}}S'items'\nI1\nsb.")


BOMBS = {
    "a memo place of two billion": b"\x80\x02]r\xff\xff\xff\x7f.",
    "a text of 60 MB that is not there": b"X\xff\xff\xff\x03abc",
    "bytes of 2^62": b"\x8e" + struct.pack("<Q", 2**62) + b"abc",
    "a frame of 2^62": b"\x95" + struct.pack("<Q", 2**62),
    "a number of half a million digits": b"I" + b"9" * 500_000 + b"\n.",
    "lists in lists": b"]" * 200_000 + b"a" * 199_999 + b".",
    "tuples in tuples as a key": b"}" + b")" + b"\x85" * 200_000 + b"Ns.",
    "a tuple that doubles, as a key": b"})" + b"2\x86" * 80 + b"Ns.",
    "endless steps": b"N0" * (stack_machine.MAX_STEPS // 2 + 1) + b".",
    "one list copied a million times": (
        b"(" + b"N" * 100_000 + b"lp0\n0ccollections\ndeque\np1\n" + b"(g0\ntR0g1\n" * 100_000
    ),
}


HARMLESS = {"a memo place of two billion", "lists in lists"}
"""Places in the memo cost nothing here, and nothing walks the lists."""


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.timeout(30)
def test_a_bomb_does_not_go_off(name):
    if name in HARMLESS:
        assert type(told(BOMBS[name])) is list
        return
    with pytest.raises(CheckpointError) as caught:
        told(BOMBS[name], "collections.deque")
    assert len(str(caught.value)) < 400


def test_a_dictionary_that_laughs_a_billion_times_costs_nothing_to_describe():
    value = []
    for _ in range(60):
        value = [value] * 10
    assert len(told(pickle.dumps(value, 2))) == 10


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_refusal(data):
    try:
        told(data)
    except CheckpointError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017


STEPS = (
    b"N", b"\x88", b"K\x07", b"X\1\0\0\0a", b"S'b'\n", b"]", b"}", b")", b"(", b"l", b"d", b"t",
    b"a", b"e", b"s", b"u", b"0", b"1", b"2", b"\x85", b"\x86", b"q\0", b"h\0",
)  # fmt: skip
"""Pieces of a program that calls nothing, so that Python's own reader may run it too."""


def python_reads(program):
    try:
        return repr(pickle.loads(program))
    except Exception:  # the C reader raises nearly every kind
        return None


def we_read(program):
    try:
        return repr(told(program))
    except CheckpointError:
        return None


def test_random_programs_are_read_as_python_reads_them_or_refused():
    draw = random.Random(11)
    read, refused = 0, 0
    for _ in range(4000):
        program = b"".join(draw.choices(STEPS, k=draw.randint(1, 7))) + b"."
        ours, theirs = we_read(program), python_reads(program)
        if ours is None:
            refused += 1
        else:
            read += 1
            assert ours == theirs, program
    assert read > 400
    assert refused > 400


@given(st.integers(0, 500), st.sampled_from([0, 2]))
def test_a_cut_pickle_is_refused(at, protocol):
    data = planted.python_2_pickle(protocol)
    names = ("numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype")
    assert set(told(data, *names)) == {"blobs"}
    with pytest.raises(CheckpointError):
        told(data[: min(at, len(data) - 1)], *names)
