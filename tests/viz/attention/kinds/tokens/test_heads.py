"""Heads, what is made of them, and what is said of them, against slow loops in float64."""

import json
from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
import torch

import viz
from errors import InputError, OutsideError
from models.blocks.layout import Grid
from models.specs.network import Preprocessing
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import picture_network
from tests.viz.attention.captured import captured, cells, heads_block
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.registry import KINDS, as_kind
from viz.attention.predictions import NO_CLASSIFIER, prediction_words
from viz.attention.query_dependence import query_dependence
from viz.types import Cell

GRID = Grid(2, 3, 5)
HEADS, CELL = 3, Cell(1, 2, 3)
KIND = KINDS["heads"]
WAYS = [{}, {"prefix": 0}, {"windows": 2}, {"added": True}, {"windows": 2, "added": True}]
EVERY = pytest.mark.parametrize("how", WAYS, ids=str)


def slow_weights(block, window, token, head):
    """Return the softmax of one query over all keys of its window, key by key in float64."""
    query = block.queries[window, head, token].double().tolist()
    logits = []
    for number, key in enumerate(block.keys[window, head].double().tolist()):
        logit = block.scale * sum(a * b for a, b in zip(query, key, strict=True))
        for one in block.added:
            logit += float(one.values[one.which[window, head], token, number])
        logits.append(exp(logit))
    return np.array(logits) / sum(logits)


def slow_rows(block, cell):
    """Return the rows (H, M) of a cell, and the weight of keys without a cell, (H,)."""
    window, token = block.query_at[cell.position(block.query_grid)].tolist()
    rows, shares = np.zeros((block.heads, block.key_grid.cells)), np.zeros(block.heads)
    for head in range(block.heads):
        own = slow_weights(block, window, token, head)
        for key, weight in zip(block.key_cell[window].tolist(), own, strict=True):
            if key < 0:
                shares[head] += weight
            else:
                rows[head, key] += weight
    return rows, shares


def close(found, expected):
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=1e-4, atol=1e-6)


@EVERY
def test_the_map_of_a_head_is_its_row_without_what_has_no_cell(how):
    block = heads_block(GRID, **how)
    for cell in cells(GRID):
        rows, _shares = slow_rows(block, cell)
        for h in range(HEADS):
            found = KIND.map(block, cell, MapChoice("head", h))
            assert (found.values.shape, found.label) == (GRID, f"h{h}")
            close(found.values, rows[h])
        close(KIND.map(block, cell, MapChoice("mean")).values, rows.mean(0))
        close(KIND.map(block, cell, MapChoice("maximum")).values, rows.max(0))


@EVERY
def test_matrix_and_sample_are_the_rows(how):
    block = heads_block(GRID, **how)
    rows = np.stack([slow_rows(block, cell)[0] for cell in cells(GRID)])  # (N, H, M)
    close(KIND.matrix_rows(block, 3, 17), rows[3:17].mean(1))
    if how.get("windows"):  # of one window, over its own cells
        rows = rows[15:, :, 15:]
    close(KIND.sample(block, 64), rows.transpose(1, 0, 2))
    assert KIND.has_matrix
    assert 0 < query_dependence(block) < 1


def test_one_head_is_one_map():
    block = heads_block(GRID, heads=1)
    assert KIND.is_single(block)
    assert (KIND.divisions(block), KIND.summaries(block)) == ((), ())
    found = KIND.map(block, CELL)
    assert (found.label, found.part, found.number) == ("attention", "", None)
    close(found.values, slow_rows(block, CELL)[0])


@pytest.mark.parametrize("number", [3, 40])
def test_a_head_that_is_not_there_is_refused(number):
    with pytest.raises(OutsideError, match=f"^{number} is not a head of blocks.3.attn"):
        KIND.maps(heads_block(GRID), CELL, Selection(listed=(number,)))


def test_the_table_of_heads_says_what_their_rows_are_like():
    block = heads_block(GRID)
    rows, shares = slow_rows(block, CELL)
    every = np.stack([slow_rows(block, cell)[0] for cell in cells(GRID)]).mean(0)
    window, token = block.query_at[CELL.position(GRID)].tolist()
    ways = np.array([
        np.sqrt((c.t - CELL.t) ** 2 + (c.y - CELL.y) ** 2 + (c.x - CELL.x) ** 2)
        for c in cells(GRID)
    ])  # fmt: skip
    for h, line in enumerate(KIND.scores(block, CELL)):
        own = slow_weights(block, window, token, h)
        assert line["head"] == h
        close(line["entropy"], round(-(own * np.log(own)).sum() / log(len(own)), 4))
        close(line["distance"], round((rows[h] * ways).sum() / rows[h].sum(), 4))
        close(line["contrast"], round(rows[h].max() / rows[h].mean(), 4))
        close(line["stands out"], round(np.abs(rows[h] - every[h]).sum() / 2, 4))
        close(line["no cell"], round(shares[h], 4))


def test_the_share_of_what_has_no_cell_and_the_window_are_said():
    block = heads_block(GRID, windows=2)
    _rows, shares = slow_rows(block, CELL)
    share, window = KIND.notes(block, CELL)
    assert share.startswith(f"{100 * shares.mean():.1f} % of the weight goes to class and register")
    assert window == "The reference's window has 15 of 30 cells; the map is empty outside it."
    assert KIND.notes(heads_block(GRID, prefix=0), CELL) == ()


@pytest.mark.parametrize("name", ["queries", "keys"])
@pytest.mark.parametrize("windows", [1, 2])
def test_facets_are_cosines_of_all_heads_side_by_side(name, windows):
    block = heads_block(GRID, windows=windows)
    facet = as_kind(captured(block), block, name)
    assert (facet.label, facet.kind) == (block.label, name)
    factor = getattr(block, name).double().numpy()
    vectors = []
    for window, token in block.query_at.tolist():
        vectors.append(factor[window, :, token].ravel())
    units = np.array(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = KINDS[name].map(facet, CELL)
    close(found.values, units @ units[CELL.position(GRID)])
    assert found.meaning == "cosine, -1 to 1"


def test_rollout_is_the_product_of_halves():
    first = replace(heads_block(GRID), name="blocks.2.attn")
    last = replace(heads_block(GRID, added=True), queries=first.queries * 1.5)
    rolled = as_kind(captured(first, last), last, "rollout")
    tokens = first.queries.shape[2]
    made = np.eye(tokens)
    for block in (first, last):
        mean = np.array([
            [slow_weights(block, 0, token, h) for token in range(tokens)] for h in range(HEADS)
        ]).mean(0)  # fmt: skip
        made = (0.5 * mean + 0.5 * np.eye(tokens)) @ made
    for cell in (Cell(0, 0, 4), CELL):
        found = KINDS["rollout"].map(rolled, cell)
        close(found.values, made[2 + cell.position(GRID), 2:])


def test_rollout_over_other_tokens_is_refused():
    small = replace(heads_block(Grid(1, 2, 3)), name="blocks.2.attn")
    last = heads_block(GRID)
    with pytest.raises(InputError, match="Rollout needs layers over the same tokens"):
        as_kind(captured(small, last), last, "rollout")


def test_rollout_of_many_tokens_is_refused_with_how_many():
    last = heads_block(Grid(1, 47, 47), heads=1, width=1)
    with pytest.raises(InputError, match="tables of 2211 x 2211 weights; up to 2048"):
        as_kind(captured(last), last, "rollout")


def test_the_class_token_has_a_row_and_no_reference():
    block = heads_block(GRID)
    found = as_kind(captured(block), block, "class token")
    kind = KINDS["class token"]
    assert not kind.referenced
    for h in range(HEADS):
        row = kind.map(found, CELL, MapChoice("head", h)).values
        close(row, slow_weights(block, 0, 0, h)[2:])
    rows = np.stack([kind.map(found, CELL, MapChoice("head", h)).values for h in range(HEADS)])
    close(kind.map(found, CELL, MapChoice("mean")).values, rows.mean(0))
    close(kind.map(found, CELL, MapChoice("maximum")).values, rows.max(0))
    with pytest.raises(OutsideError, match="^3 is not a head"):
        kind.map(found, CELL, MapChoice("head", 3))


def test_a_layer_that_is_too_large_for_the_browser_sends_maps(monkeypatch):
    monkeypatch.setattr("viz.attention.kinds.tokens.browser.LARGEST_BYTES", 100)
    found = KIND.browser(heads_block(GRID), Selection())
    assert (found.arithmetic, found.options) == ("static", {"label": "attention"})


@EVERY
def test_what_the_browser_gets_is_what_a_row_is_made_of(how):
    block = heads_block(GRID, **how)
    found = KIND.browser(block, Selection())
    json.dumps(dict(found.options))
    assert found.options["form"] == "tokens"
    assert len(found.halves["queries"]) == GRID.cells
    assert ("added" in found.floats) == bool(block.added)


def test_a_capture_of_a_network_has_its_layers_in_order(tiny_clip):
    prep = Preprocessing(size=64, resize=64, stride=16, fixed=True)
    model = wrap(picture_network("vit"), prep, classes=tuple("abcdefg"))
    capture = viz.capture(model, tiny_clip)
    assert list(capture.blocks) == ["blocks.0.attn", "blocks.1.attn"]
    assert prediction_words(capture).split()[0] in "abcdefg"
    at = (tiny_clip.width / 2, tiny_clip.height / 2)
    maps = viz.maps(capture, at=at)
    assert [one.label for one in maps] == ["h0", "h1", "h2"]
    for name in ("features", "queries", "keys", "rollout"):
        assert viz.row(capture, at=at, kind=name).values.shape == (1, 4, 4)
    assert [one.label for one in viz.maps(capture, at=at, kind="class token")] == ["h0", "h1", "h2"]
    assert capture.blocks["blocks.0.attn"].block_input.shape == (1, 48, 1, 4, 4)
    assert capture.blocks["blocks.0.attn"].block_input.dtype == torch.float16


def test_a_network_without_classes_predicts_none(tiny_clip):
    prep = Preprocessing(size=64, resize=64, stride=16, fixed=True)
    capture = viz.capture(wrap(picture_network("vit"), prep), tiny_clip)
    assert capture.logits.shape == (0,)
    assert prediction_words(capture) == NO_CLASSIFIER
