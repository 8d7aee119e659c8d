"""Files with cuts, wrong bytes or nothing but noise: read whole or refused in one line."""

import hashlib
import struct
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import CheckpointError
from models.checkpoints.containers import read
from tests.models.written import planted
from tests.models.written.containers import WRITERS, refusal, same


@pytest.mark.parametrize("container", WRITERS)
def test_every_cut_is_refused(tmp_path, container):
    path = WRITERS[container](tmp_path / "x.pth")
    data = path.read_bytes()
    for at in {*range(0, len(data), max(1, len(data) // 60)), *range(20), len(data) - 1}:
        path.write_bytes(data[:at])
        refusal(path)


def outcome(path):
    """Return whether a damaged file is read whole or refused in one line; nothing else may be."""
    try:
        found = read.read(path)
    except CheckpointError as refused:
        assert "\n" not in str(refused)  # noqa: PT017
        assert str(refused).startswith(path.name)  # noqa: PT017
        return "refused"
    held = sum(t.numel() * t.element_size() for t in found.tensors.values())
    assert 0 < held <= path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return "read"


@pytest.mark.parametrize("container", WRITERS)
def test_one_wrong_byte_is_a_refusal_or_another_value_and_both_happen(tmp_path, container):
    path = WRITERS[container](tmp_path / "x.pth")
    data = path.read_bytes()
    seen = Counter()
    for at in range(0, len(data), max(1, len(data) // 120)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        seen[outcome(path)] += 1
    assert min(seen["refused"], seen["read"]) > 20, seen


@pytest.mark.parametrize("container", sorted(WRITERS.keys() - {"Caffe2 pickle"}))
def test_a_wrong_value_alone_is_read_as_it_is(tmp_path, container):
    """Values have no checksum but the zip's, at which torch does not look."""
    path = WRITERS[container](tmp_path / "x.pth")
    data = path.read_bytes()
    wanted, longest = planted.weights(), planted.NAMES[-1]
    at = data.index(wanted[longest].numpy().tobytes())
    path.write_bytes(data[:at] + struct.pack("<f", 17.0) + data[at + 4 :])
    wanted[longest].view(-1)[0] = 17.0
    same(read.read(path).tensors, wanted)


@pytest.mark.parametrize("container", WRITERS)
def test_damage_anywhere_is_a_refusal_or_harmless(tmp_path_factory, container):
    path = WRITERS[container](tmp_path_factory.mktemp("damage") / "x.pth")
    data = path.read_bytes()

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(data) - 1), st.binary(min_size=1, max_size=4))
    def damaged(at, change):
        path.write_bytes(data[:at] + change + data[at + len(change) :])
        outcome(path)

    damaged()


STARTS = [b"", b"PK\3\4", b"\x80\x02", b"\x80\x04\x95", b"(dp0\n", struct.pack("<Q", 30) + b"{",
          b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."]  # fmt: skip


def test_any_bytes_are_refused(tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "x.pth"

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(STARTS), st.binary(max_size=200))
    def anything(start, data):
        path.write_bytes(start + data)
        refusal(path)

    anything()
