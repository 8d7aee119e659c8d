"""The table of map kinds: which a block can be shown as, and every row says what is asked of it."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import viz
from errors import OutsideError
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.viz.attention.captured import SMALL, captured, cgnl_block, heads_block, nl_block
from viz.attention.choice import PARTS, Selection
from viz.attention.kinds import registry as kinds
from viz.attention.kinds.context import ContextCapture
from viz.attention.kinds.gates import GateCapture
from viz.attention.kinds.registry import KINDS, as_kind, kind_of, offered
from viz.types import Cell

KEYS = Grid(2, 1, 7)
DERIVED = ("features", "class maps")
OF_HEADS = ("queries", "keys", "rollout", "class token")
OF_EVERY = ("features", *OF_HEADS, "class maps")


def nl():
    return nl_block("embedded_gaussian", SMALL, KEYS)


def cgnl():
    return cgnl_block(CGNLSpec(groups=2), SMALL)


def gate():
    around = np.ones((2, 3, 5), np.float32)
    return GateCapture("res3.0", np.ones(11, np.float32), around, around)


def context():
    weights = torch.rand(SMALL.cells).softmax(0)
    return ContextCapture("res4.4", weights, SMALL, 0.5, 11.0, torch.randn(1, 13, *SMALL).half())


def every():
    """Return a captured block of each kind."""
    blocks = (nl(), cgnl(), gate(), heads_block(SMALL), context())
    return {
        **{name: as_kind(captured(blocks[3]), blocks[3], name) for name in OF_HEADS},
        **{block.kind: block for block in blocks},
        **{name: as_kind(captured(blocks[1]), blocks[1], name) for name in DERIVED},
    }


def test_every_kind_is_in_the_table_by_its_name():
    assert list(KINDS) == ["affinity", "channels", "context", "heads", *OF_EVERY, "gates"]
    assert all(kind.name == name for name, kind in KINDS.items())
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS)
    assert kinds.derived_names() == OF_EVERY


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_says_what_pages_ask_of_it(name):
    block = every()[name]
    kind = kind_of(block)
    assert kind is KINDS[name]
    assert kind.title
    assert kind.menu
    assert kind.formula(block).strip()
    assert kind.sentence(block).strip().endswith(".")
    assert {kind.part, kind.division} <= {"", *PARTS}
    assert bool(kind.part) == bool(kind.rankings)
    assert bool(kind.without_reference) == (not kind.referenced and kind.has_labels)
    assert bool(kind.ranking_help) == bool(kind.rankings)
    found = kind.browser(block, Selection())
    assert found.arithmetic in ("rows", "channels", "static")
    json.dumps(dict(found.options))
    assert block.query_grid == SMALL
    assert block.key_grid == (KEYS if name == "affinity" else SMALL)


@pytest.mark.parametrize(
    "name", ["affinity", "channels", "context", "heads", "features", "gates", *OF_HEADS]
)
def test_every_map_is_float32_over_the_key_grid(name):
    block = every()[name]
    for one in KINDS[name].maps(block, Cell(1, 2, 3), Selection()):
        assert one.values.shape == block.key_grid
        assert one.values.dtype == np.float32
        assert one.query.block == block.label


@pytest.mark.parametrize("make", [nl, cgnl])
def test_a_block_is_offered_as_its_own_kind_and_those_made_from_it(make):
    block = make()
    assert [kind.name for kind in offered(block)] == [block.kind, *DERIVED]


def test_a_layer_with_heads_is_offered_as_what_is_made_of_them():
    names = [kind.name for kind in offered(heads_block(SMALL))]
    assert names == ["heads", "features", *OF_HEADS]
    without = heads_block(SMALL, prefix=0)
    assert "class token" not in [kind.name for kind in offered(without)]


def test_a_gate_is_offered_as_itself_alone():
    assert [kind.name for kind in offered(gate())] == ["gates"]


@pytest.mark.parametrize("make", [nl, cgnl])
def test_a_block_is_itself_as_its_own_kind(make):
    block = make()
    capture = captured(block)
    assert as_kind(capture, block, None) is block
    assert as_kind(capture, block, block.kind) is block
    assert capture.memory.values() == ()


@pytest.mark.parametrize("name", DERIVED)
def test_what_is_derived_is_kept_with_the_capture_by_block_and_kind(name):
    block = nl()
    capture, other = captured(block), captured(block)
    found = as_kind(capture, block, name)
    assert found.kind == name
    assert kind_of(found) is KINDS[name]
    assert (found.label, found.place) == (block.label, block.place)
    assert as_kind(capture, block, name) is found
    assert as_kind(other, block, name) is not found
    assert capture.memory.values() == (found,)


def test_threads_that_ask_for_the_same_kind_get_the_same_maps():
    block = nl()
    capture = captured(block)
    with ThreadPoolExecutor(7) as pool:
        found = list(pool.map(lambda name: as_kind(capture, block, name), DERIVED * 11))
    maps = {KINDS["features"].map(one, Cell(1, 1, 1)).values.tobytes() for one in found[::2]}
    assert len(maps) == 1
    assert {one.kind for one in found[1::2]} == {"class maps"}


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (nl, "channels"),
        (nl, "gates"),
        (nl, "toy"),
        (nl, ""),
        (nl, "Features"),
        (cgnl, "affinity"),
        (cgnl, "<b>\n\x00" * 100),
    ],
)
def test_a_kind_that_a_block_cannot_be_shown_as_is_refused_with_those_it_can(make, name, one_line):
    block = make()
    with pytest.raises(OutsideError) as caught:
        as_kind(captured(block), block, name)
    line = one_line(caught.value)
    assert f"is not a map of block res4.4; use {block.kind}, features, class maps." in line


def test_an_unknown_kind_is_one_line_from_python_too(nl_model, tiny_clip, one_line):
    capture = viz.capture(nl_model, tiny_clip)
    for ask in (viz.row, viz.maps):
        with pytest.raises(OutsideError, match="^'toy' is not a map of block res4.4") as caught:
            ask(capture, at=(30, 30), kind="toy")
        one_line(caught.value)


def test_rankings_of_all_kinds_are_known_once_and_the_class_ranking_is_no_word():
    found = kinds.rankings()
    assert len(set(found)) == len(found)
    assert set(found) == {"standout", "response", "contrast", "one per group", "probability"}


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("auto", None, Selection()),
        ("auto", 3, Selection(count=3)),
        ("contrast", 11, Selection("contrast", 11)),
        ("probability", None, Selection("probability")),
        ("groups", 3, Selection(divisions=True)),
        ("0,3", 7, Selection(listed=(0, 3))),
    ],
)
def test_a_selection_has_the_count_that_is_asked_for_where_it_ranks(text, count, expected):
    assert kinds.selection(text, count) == expected


def selections(kind, block):
    """Return what can be asked of a block: each ranking, maps by number, heads or groups."""
    if kind.is_single(block):
        return [Selection()]
    found = [Selection(ranking=name, count=2) for name in kind.rankings]
    found += [Selection(divisions=True)] if kind.divisions(block) else []
    return [*found, Selection(listed=(1, 0))]


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name].referenced])
def test_maps_of_several_references_are_those_of_each_to_the_bit(name):
    block = every()[name]
    kind, cells = kind_of(block), [Cell(0, 1, 2), Cell(1, 2, 4), Cell(0, 1, 2), Cell(1, 0, 0)]
    for selection in selections(kind, block):
        together, side_by_side = (
            kind.maps_at(block, cells, selection),
            kind.stacked(block, cells, selection),
        )
        for k, cell in enumerate(cells):
            alone = kind.maps(block, cell, selection)
            for one, other in zip(together[k], alone, strict=True):
                assert np.array_equal(one.values, other.values)
                assert (one.label, one.part, one.number) == (other.label, other.part, other.number)
                assert (one.query, one.meaning, one.own) == (other.query, other.meaning, other.own)
            assert np.array_equal(side_by_side[k], np.stack([one.values for one in alone]))


def test_several_references_are_checked_each():
    for name in ("affinity", "channels"):
        block = every()[name]
        for make in (kind_of(block).maps_at, kind_of(block).stacked):
            with pytest.raises(OutsideError, match="not a cell"):
                make(block, [Cell(0, 0, 0), Cell(0, 9, 0)], Selection())
