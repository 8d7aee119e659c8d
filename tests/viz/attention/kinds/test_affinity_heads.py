"""Heads: each is the affinity of its own columns; mean and maximum are taken over all of them."""

import json

import numpy as np
import pytest
import torch

import viz
from errors import InputError, OutsideError
from models.blocks.layout import Grid
from tests.viz.attention.captured import SOFTMAX, captured, cells, nl_block, slow_row
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds import affinity
from viz.attention.kinds.affinity import Affinity
from viz.attention.kinds.registry import as_kind
from viz.attention.query_dependence import query_dependence
from viz.types import Cell

QUERIES, KEYS, WIDTH, HEADS = Grid(2, 3, 5), Grid(2, 1, 7), 11, 3
CELL = Cell(1, 2, 3)
KIND = Affinity()
EVERY = pytest.mark.parametrize("groups", [1, 2])
FUNCTIONS = pytest.mark.parametrize("name", ["embedded_gaussian", "dot_product", "concatenation"])


def block_of(name="embedded_gaussian", groups=1, heads=HEADS):
    return nl_block(name, QUERIES, KEYS, WIDTH, heads, groups)


def slow_rows(block, cell):
    """Return the row of every head (H, M) from that head's columns alone, 0 in other groups."""
    name, width = block.pairwise.name, block.queries.shape[1] // block.heads
    i, size = cell.position(QUERIES), QUERIES.cells // block.groups
    span = KEYS.cells // block.groups
    own = slice(i // size * span, (i // size + 1) * span)
    rows = np.zeros((block.heads, KEYS.cells))
    for h in range(block.heads):
        columns = slice(h * width, (h + 1) * width)
        query, keys = block.queries[i, columns], block.keys[own, columns]
        rows[h, own] = slow_row(name, query, keys, block.pairwise.scale)
    return rows


def close(found, expected):
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=1e-4, atol=1e-6)


@EVERY
@FUNCTIONS
def test_the_map_of_a_head_is_the_row_of_its_columns_alone(name, groups):
    block = block_of(name, groups)
    for cell in cells(QUERIES):
        expected = slow_rows(block, cell)
        for h in range(HEADS):
            found = KIND.map(block, cell, MapChoice("head", h))
            assert found.values.shape == KEYS
            assert found.values.dtype == np.float32
            close(found.values, expected[h])


@EVERY
@FUNCTIONS
def test_mean_and_maximum_are_taken_over_the_heads(name, groups):
    block = block_of(name, groups)
    for cell in (Cell(0, 0, 4), CELL):
        expected = slow_rows(block, cell)
        close(KIND.map(block, cell, MapChoice("mean")).values, expected.mean(0))
        close(KIND.map(block, cell, MapChoice("maximum")).values, expected.max(0))


@FUNCTIONS
def test_maps_are_labelled_by_head_or_summary(name):
    block = block_of(name)
    meaning = "weights, sum 1" if name in SOFTMAX else "response, any sign"
    for choice, label in (
        (MapChoice("head", 2), "h2"),
        (MapChoice("mean"), "mean"),
        (MapChoice("maximum"), "maximum"),
    ):
        found = KIND.map(block, CELL, choice)
        assert (found.label, found.part, found.number) == (label, choice.part, choice.number)
        assert (found.meaning, found.query.cell) == (meaning, CELL)


@EVERY
@FUNCTIONS
@pytest.mark.parametrize("step", [1, 7, 30])
def test_matrix_rows_are_the_mean_over_heads_in_any_chunks(name, groups, step):
    block = block_of(name, groups)
    expected = np.stack([slow_rows(block, cell).mean(0) for cell in cells(QUERIES)])
    chunks = [KIND.matrix_rows(block, start, min(start + step, 30)) for start in range(0, 30, step)]
    assert [len(chunk) for chunk in chunks[:-1]] == [step] * (len(chunks) - 1)
    close(torch.cat(chunks), expected)
    close(affinity.matrix(block), expected)


def test_no_rows_of_the_matrix_are_a_matrix_too():
    assert KIND.matrix_rows(block_of(groups=2), 15, 15).shape == (0, 14)
    assert KIND.has_matrix


def test_heads_are_its_divisions_and_mean_and_maximum_its_summaries():
    block = block_of()
    heads = tuple(MapChoice("head", h) for h in range(HEADS))
    assert KIND.divisions(block) == heads
    assert KIND.summaries(block) == (MapChoice("mean"), MapChoice("maximum"))
    assert not KIND.is_single(block)
    assert KIND.parts(block) == 0
    assert KIND.division_words(block) == "heads"
    assert KIND.union_words == "NL: the largest of its heads at every cell"
    single = block_of(heads=1)
    assert KIND.divisions(single) == KIND.summaries(single) == ()
    assert KIND.is_single(single)


@pytest.mark.parametrize("text", ["auto", "groups", "contrast", "0,2"])
def test_every_head_and_summary_is_offered_whatever_is_listed(text):
    found = KIND.choices(block_of(), Selection.parse(text, ("contrast",)))
    assert [str(one) for one in found] == ["head 0", "head 1", "head 2", "mean", "maximum"]
    assert all(MapChoice.parse(str(one)) == one for one in found)


@pytest.mark.parametrize(
    ("text", "labels"),
    [("auto", ["h0", "h1", "h2"]), ("heads", ["h0", "h1", "h2"]), ("2,0", ["h2", "h0"])],
)
def test_all_heads_are_listed_or_those_asked_for_by_number(text, labels):
    block, wanted = block_of(), Selection.parse(text, ())
    assert [one.tag for one in KIND.listed(block, CELL, wanted)] == labels
    maps = KIND.maps(block, CELL, wanted)
    assert [one.label for one in maps] == labels
    for one in maps:
        close(one.values, slow_rows(block, CELL)[one.number])


def test_a_listed_head_that_the_block_does_not_have_is_refused(one_line):
    with pytest.raises(OutsideError, match="^3 is not a head of res4.4; it has heads 0") as caught:
        KIND.listed(block_of(), CELL, Selection(listed=(0, 3)))
    one_line(caught.value)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, "mean"), ("head 2", "head 2"), ("h1", "head 1"), ("maximum", "maximum")],
)
def test_one_map_is_found_and_the_mean_comes_first(asked, expected):
    choice = None if asked is None else MapChoice.parse(asked)
    for wanted in (Selection(), Selection(divisions=True), Selection(listed=(1,))):
        assert str(KIND.resolved(block_of(), CELL, wanted, choice)) == expected


@pytest.mark.parametrize("asked", ["head 3", "channel 1", "c1", "group 0", "class 1", "union"])
def test_a_map_that_heads_do_not_have_is_refused_with_what_there_is(asked, one_line):
    words = r"is not a map of res4.4 \(NL\); it has head 0 to 2, mean, maximum"
    with pytest.raises(OutsideError, match=words) as caught:
        KIND.resolved(block_of(), CELL, Selection(), MapChoice.parse(asked))
    one_line(caught.value)


@pytest.mark.parametrize("head", [-1, 3])
def test_the_map_of_a_head_outside_is_refused(head, one_line):
    with pytest.raises(OutsideError, match=f"^{head} is not a head of res4.4") as caught:
        KIND.map(block_of(), CELL, MapChoice("head", head))
    assert one_line(caught.value).endswith("it has heads 0 to 2.")


@pytest.mark.parametrize("choice", [MapChoice("head", 1), MapChoice("mean")])
def test_a_cell_outside_the_grid_is_refused_for_every_map(choice):
    with pytest.raises(OutsideError, match="frames 0 to 1, rows 0 to 2, columns 0 to 4"):
        KIND.map(block_of(), Cell(0, 3, 0), choice)


def mean_correlation(rows):
    """Return the mean over pairs of different rows; a flat row correlates with none."""
    found = []
    for i, one in enumerate(rows - rows.mean(1, keepdims=True)):
        for k, other in enumerate(rows - rows.mean(1, keepdims=True)):
            if i != k:
                size = np.sqrt((one**2).sum() * (other**2).sum())
                found.append((one * other).sum() / size if size > 1e-12 else 0)
    return np.mean(found)


@EVERY
@FUNCTIONS
def test_query_dependence_is_the_mean_over_the_heads_of_the_first_group(name, groups):
    block = block_of(name, groups)
    block.queries.add_(1)  # so that rows resemble each other
    keys, frames = KEYS.cells // groups, QUERIES.frames // groups
    first = [cell for cell in cells(QUERIES) if cell.t < frames]
    rows = np.stack([slow_rows(block, cell)[:, :keys] for cell in first], axis=1)
    assert KIND.sample(block, 64).shape == (HEADS, len(first), keys)
    close(KIND.sample(block, 64), rows)
    expected = [1 - mean_correlation(head) for head in rows]
    assert 0.05 < np.mean(expected) < 0.95
    assert query_dependence(block) == pytest.approx(np.clip(expected, 0, 1).mean(), abs=1e-3)


@EVERY
def test_the_browser_gets_the_columns_of_all_heads(groups):
    block = block_of(groups=groups)
    found = KIND.browser(block, Selection())
    options = json.loads(json.dumps(found.options))
    assert (options["heads"], options["width"], options["groups"]) == (HEADS, WIDTH, groups)
    assert found.halves["queries"].shape == (30, HEADS * WIDTH)
    assert found.halves["keys"].shape == (14, HEADS * WIDTH)


def test_heads_are_asked_for_in_one_call_and_not_as_the_one_row(one_line):
    capture = captured(block_of(), frames=2)
    maps = viz.maps(capture, at=(40, 50), choose="heads", frame=1)
    assert [one.label for one in maps] == ["h0", "h1", "h2"]
    assert {one.query.cell for one in maps} == {Cell(1, 2, 2)}
    with pytest.raises(InputError, match="several maps for a reference; use maps") as caught:
        viz.row(capture, at=(40, 50))
    one_line(caught.value)


def test_heads_do_not_stop_a_block_from_being_shown_as_another_kind():
    block = block_of()
    features = as_kind(captured(block), block, "features")
    assert features.features.shape == (30, 13)
