"""How much maps depend on the reference: nothing for equal rows, and known cases in between."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.blocks.kernels import kernel
from models.blocks.layout import Grid
from models.blocks.pairwise import pairwise
from models.specs.block import CGNLSpec
from models.specs.placement import Place
from tests.viz.attention.captured import captured
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channel_scores import CGNLCapture
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import as_kind, kind_of
from viz.attention.query_dependence import query_dependence


def nl(queries, keys, name="embedded_gaussian"):
    grids = Grid(1, 1, len(queries)), Grid(1, 1, len(keys))
    function = pairwise(name, queries.shape[1], False)
    return NonLocalCapture(Place(4, 4), queries, keys, function, *grids, torch.zeros(1))


def cgnl(theta, phi, groups):
    spec = CGNLSpec(groups=groups)
    grid = Grid(1, 1, theta.shape[1])
    return CGNLCapture(Place(4, 4), theta, phi, phi, kernel(spec), groups, grid, torch.zeros(1))


def test_equal_rows_do_not_depend_on_the_reference():
    queries = torch.randn(1, 5).repeat(23, 1)
    assert query_dependence(nl(queries, torch.randn(17, 5))) == pytest.approx(0, abs=1e-5)


def test_rows_that_only_differ_in_size_do_not_either():
    queries = torch.randn(1, 5) * torch.linspace(1, 3, 23).unsqueeze(1)
    found = query_dependence(nl(queries, torch.randn(17, 5), "dot_product"))
    assert found == pytest.approx(0, abs=1e-5)


def test_rows_that_each_light_their_own_cell_depend_on_it_fully():
    found = query_dependence(nl(50 * torch.eye(13), torch.eye(13)))
    assert found == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("references", [7, 150])
def test_it_is_one_minus_the_mean_correlation_of_pairs_of_rows(references):
    torch.manual_seed(59)
    block = nl(torch.randn(references, 3), torch.randn(17, 3) + 1)
    used = np.unique(np.rint(np.linspace(0, references - 1, min(64, references))).astype(int))
    rows = block.pairwise.matrix(block.queries, block.keys).numpy()[used]
    table = np.corrcoef(rows)
    pairs = table[~np.eye(len(used), dtype=bool)]
    assert 0.05 < 1 - pairs.mean() < 0.95
    assert query_dependence(block) == pytest.approx(1 - pairs.mean(), abs=1e-3)


def test_for_cgnl_it_is_the_mean_over_groups_of_their_maps():
    torch.manual_seed(61)
    theta, phi = torch.rand(6, 11), torch.randn(6, 11)
    expected = []
    for group in (slice(0, 3), slice(3, 6)):
        maps = np.einsum("ci,cj->ij", theta[group].numpy(), phi[group].numpy())
        table = np.corrcoef(maps)
        expected.append(1 - table[~np.eye(11, dtype=bool)].mean())
    found = query_dependence(cgnl(theta, phi, 2))
    assert found == pytest.approx(np.clip(expected, 0, 1).mean(), abs=1e-3)


def test_one_channel_a_group_with_theta_of_one_sign_never_depends_on_the_reference():
    found = query_dependence(cgnl(torch.rand(4, 11) + 0.1, torch.randn(4, 11), 4))
    assert found == pytest.approx(0, abs=1e-5)


def test_a_group_without_any_contrast_counts_as_independent_of_the_reference():
    theta, phi = torch.rand(4, 11) + 0.1, torch.randn(4, 11)
    phi[2:] = 0
    assert query_dependence(cgnl(theta, phi, 4)) == pytest.approx(0, abs=1e-5)
    assert query_dependence(cgnl(theta, 0 * phi, 4)) == pytest.approx(0, abs=1e-5)


def test_even_rows_do_not_depend_on_the_reference():
    assert query_dependence(nl(torch.zeros(11, 3), torch.randn(7, 3))) == 0


def test_a_single_reference_has_nothing_to_differ_from():
    assert query_dependence(nl(torch.randn(1, 3), torch.randn(7, 3))) == 0


@pytest.mark.parametrize("function", ["embedded_gaussian", "dot_product"])
def test_in_groups_of_frames_it_is_taken_over_the_first(function):
    torch.manual_seed(67)
    first = nl(torch.randn(11, 3) + 1, torch.randn(7, 3), function)
    queries = torch.cat([first.queries, torch.randn(11, 3)])
    keys = torch.cat([first.keys, torch.randn(7, 3)])
    both = replace(
        first, queries=queries, keys=keys, groups=2,
        query_grid=Grid(2, 1, 11), key_grid=Grid(2, 1, 7),
    )  # fmt: skip
    assert query_dependence(both) == pytest.approx(query_dependence(first), abs=1e-6)
    assert 0.05 < query_dependence(both) < 0.95


@pytest.mark.parametrize("most", [5, 64])
def test_a_sample_is_the_maps_of_each_reference_whatever_way_they_are_made(most):
    block = nl(torch.randn(13, 3), torch.randn(7, 3), "dot_product")
    cosines = as_kind(captured(block), replace(block, block_input=torch.randn(1, 5, 2, 3, 7)),
                      "features")  # fmt: skip
    for one in (block, cosines):
        one_by_one = MapKind.sample(kind_of(one), one, most)
        at_once = kind_of(one).sample(one, most)
        torch.testing.assert_close(one_by_one, at_once, rtol=1e-5, atol=1e-6)
