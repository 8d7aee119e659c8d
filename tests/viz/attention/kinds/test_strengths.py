"""How strongly channels, groups and heads answer: against the maps themselves, cell by cell."""

import numpy as np
import pytest

from errors import OutsideError
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.viz.attention import captured
from viz.attention.kinds import kind as kinds
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import kind_of

GRID = Grid(1, 5, 7)
BLOCKS = {
    "row": (captured.nl_block("embedded_gaussian", GRID, Grid(1, 2, 3)), "row"),
    "dot product row": (captured.nl_block("dot_product", GRID, GRID), "row"),
    "rows in groups": (
        captured.nl_block("gaussian", Grid(6, 2, 3), Grid(6, 2, 3), groups=3),
        "row",
    ),
    "heads of NL": (captured.nl_block("gaussian", GRID, GRID, heads=3), "head"),
    "channel": (captured.cgnl_block(CGNLSpec(groups=2), GRID), "channel"),
    "channel of a Gaussian": (captured.cgnl_block(CGNLSpec("gaussian_rbf", 2), GRID), "channel"),
    "group": (captured.cgnl_block(CGNLSpec(groups=2), GRID), "group"),
    "group of a Gaussian": (captured.cgnl_block(CGNLSpec("embedded_gaussian", 2), GRID), "group"),
    "head": (captured.heads_block(GRID), "head"),
    "head in windows": (captured.heads_block(GRID, windows=5, prefix=0), "head"),
}


@pytest.mark.parametrize(("block", "part"), BLOCKS.values(), ids=BLOCKS)
def test_each_answer_is_the_largest_value_of_its_map(block, part, monkeypatch):
    monkeypatch.setattr(kinds, "AT_ONCE", 4)
    kind = kind_of(block)
    assert part in kind.answering(block)
    found = kind.strengths(block, part)
    slow = MapKind.strengths(kind, block, part)
    assert found.shape == slow.shape
    assert found.shape[1] == block.query_grid.cells
    np.testing.assert_allclose(found, slow, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("block", "part"), [(BLOCKS["row"][0], "channel"), (BLOCKS["channel"][0], "head")]
)
def test_what_does_not_answer_is_refused_with_what_does(block, part, one_line):
    with pytest.raises(OutsideError) as problem:
        kind_of(block).strengths(block, part)
    assert "use " + ", ".join(kind_of(block).answering(block)) in one_line(problem.value)
