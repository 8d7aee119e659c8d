"""Key tables: rules in order, groups and words, and every key accounted for."""

import pytest
import torch

from errors import CheckpointError
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Rule, rename

TABLE = KeyTable(
    (
        COUNTER,
        Rule(r"old\..*", None, "left by an older version"),
        Rule(r"s(?P<stage>\d)\.(?P<n>[ab])\.weight", "layer{layer}.{n}.weight"),
        Rule(r"l(?P<layer>\d)\.(?P<what>\w+)", "res{stage}.{what}"),
        Rule(r"(?:head|fc)\.(?P<what>weight)", "fc.{what}"),
        Rule(r"head\..*", None, "never reached for head.weight"),
    ),
    {"n": {"a": "1"}, "what": {"w": "weight"}},
)


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("s3.a.weight", "layer2.1.weight"),
        ("s3.b.weight", "layer2.b.weight"),
        ("l4.w", "res5.weight"),
        ("l1.bias", "res2.bias"),
        ("head.weight", "fc.weight"),
    ],
)
def test_groups_words_and_stages_make_our_key(key, ours):
    assert TABLE.translate(key) == (ours, "")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("bn1.num_batches_tracked", "a counter that training keeps"),
        ("old.weight", "left by an older version"),
        ("head.bias", "never reached for head.weight"),
    ],
)
def test_what_is_left_out_has_a_reason(key, reason):
    assert TABLE.translate(key) == (None, reason)


@pytest.mark.parametrize("key", ["s3.c.weight", "s3.a.weights", "xs3.a.weight", "fc.bias", ""])
def test_rules_match_whole_keys_only(key):
    assert TABLE.translate(key) is None


def test_every_key_is_renamed_or_ignored():
    tensors = {"s2.a.weight": torch.ones(2), "x.num_batches_tracked": torch.tensor(3)}
    renamed = rename(TABLE, tensors, "file")
    assert list(renamed.tensors) == ["layer1.1.weight"]
    assert renamed.tensors["layer1.1.weight"] is tensors["s2.a.weight"]
    assert renamed.renamed == {"s2.a.weight": "layer1.1.weight"}
    assert set(renamed.ignored) == {"x.num_batches_tracked"}


def test_the_same_tensor_under_two_names_is_taken_once():
    tensors = {"fc.weight": torch.ones(3), "head.weight": torch.ones(3)}
    renamed = rename(TABLE, tensors, "file")
    assert renamed.renamed == {"fc.weight": "fc.weight"}
    assert renamed.ignored == {"head.weight": "the same values as fc.weight"}


@pytest.mark.parametrize("second", [torch.zeros(3), torch.ones(4), torch.full((3,), torch.nan)])
def test_two_tensors_for_one_key_are_refused(second, one_line):
    tensors = {"fc.weight": torch.ones(3), "head.weight": second}
    with pytest.raises(CheckpointError, match=r"two different tensors for fc\.weight") as caught:
        rename(TABLE, tensors, "file.pth")
    assert "file.pth" in one_line(caught.value)


@pytest.mark.parametrize(("count", "listed"), [(1, "(a0)"), (3, "(a0, a1, a2)"), (9, "a2, ...)")])
def test_unknown_keys_are_counted_and_the_first_named(count, listed, one_line):
    tensors = {f"a{k}": torch.ones(1) for k in range(count)} | {"fc.weight": torch.ones(1)}
    with pytest.raises(CheckpointError) as caught:
        rename(TABLE, tensors, "file.pth")
    text = one_line(caught.value)
    assert f"{count} {'key' if count == 1 else 'keys'} that this family does not have" in text
    assert listed in text
