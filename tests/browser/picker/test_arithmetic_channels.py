"""Channels, groups, rankings and handed-on maps of the picker against those of Python."""

from typing import get_args

import numpy as np
import pytest

from models.blocks.layout import Grid
from tests.browser.bare.shot_maps import map_of
from tests.browser.picker.conftest import GRID, HALF, POSITIONS, asked, at
from tests.ui.drawn_scenes import cgnl_block
from ui.components import mount
from viz.attention.choice import MapChoice
from viz.attention.kinds import channels as channel_kind
from viz.attention.kinds.kind import Arithmetic, top


def kernel_of(block, theta, phi):
    """The kernel elementwise, float64: eqs. 9, 10 and 12 of Yue et al. 2018, or the exact one."""
    kernel, product = block.kernel, theta * phi
    if hasattr(kernel, "terms"):
        return sum(weight * product**power for power, weight in kernel.terms)
    return product if kernel.linear else kernel.outer * np.exp(kernel.inner * product)


KERNELS = [(name, order) for name in ("dot_product", "embedded_gaussian", "gaussian_rbf")
           for order in (1, 2, 3, 4, None)]  # fmt: skip


@pytest.mark.parametrize(("kernel", "order"), KERNELS)
def test_channels_and_groups_are_those_of_the_kernels(modules, kernel, order):
    block = cgnl_block(kernel, order, grid=GRID)
    panel, shot = asked(modules, block, maps="14,0,7", count=3)
    theta, phi = (panel.arrays[name].reshape(15, -1) for name in ("theta", "phi"))
    names = ["channel 1", "channel 2", "channel 3", "group 0", "group 4"]
    for position, found in zip(POSITIONS, panel.maps(POSITIONS, names), strict=True):
        assert found["chosen"] == [14, 0, 7]
        every = kernel_of(block, theta[:, position : position + 1], phi)
        wanted = [every[14], every[0], every[7], every[:3].sum(0), every[12:].sum(0)]
        tags = ["c14", "c0", "c7", "g0", "g4"]
        labels = ["channel 14", "channel 0", "channel 7", "group 0", "group 4"]
        for name, tag, label, values in zip(names, tags, labels, wanted, strict=True):
            made = found["maps"][name]
            assert (made["tag"], made["label"]) == (tag, label)
            scale = np.abs(every).max()
            np.testing.assert_allclose(made["values"], values, rtol=2e-6, atol=2e-7 * scale)
            exact = map_of(at(shot, position), name).values.ravel()
            np.testing.assert_allclose(made["values"], exact, rtol=0.03, atol=4 * HALF * scale)


@pytest.mark.parametrize("ranking", ["standout", "response", "contrast", "one per group"])
@pytest.mark.parametrize("kernel", ["dot_product", "gaussian_rbf"])
def test_channels_rank_as_python_ranks_them(modules, ranking, kernel):
    panel, shot = asked(modules, cgnl_block(kernel, grid=GRID), maps=ranking, count=15)
    for position, found in zip(POSITIONS, panel.maps(POSITIONS, ["group 0"]), strict=True):
        one = at(shot, position)
        assert found["chosen"] == one.kind.rank(one.block, one.cell, ranking)
    [whole] = panel.maps([17], ["group 0"])
    few, _ = asked(modules, cgnl_block(kernel, grid=GRID), maps=ranking, count=4)
    [short] = few.maps([17], ["group 0"])
    assert short["chosen"] == whole["chosen"][:4]


@pytest.mark.parametrize("ranking", ["standout", "response", "contrast"])
def test_scores_are_those_of_the_factors_that_arrived(modules, ranking):
    """Closer than a ranking tells: every order that the scores allow, and no other."""
    block = cgnl_block("embedded_gaussian", grid=GRID)
    panel, _ = asked(modules, block, maps=ranking, count=15)
    theta, phi = (panel.arrays[name].reshape(15, -1) for name in ("theta", "phi"))
    for position, found in zip(POSITIONS, panel.maps(POSITIONS, ["group 0"]), strict=True):
        if ranking == "standout":
            z = (theta[:, position] - panel.arrays["mean"]) / panel.arrays["spread"]
            scores = z * panel.arrays["contrast"]
        elif ranking == "response":
            scores = np.abs(panel.arrays["response"].reshape(15, -1)[:, position])
        else:
            maps = kernel_of(block, theta[:, position : position + 1], phi)
            scores = np.ptp(maps, axis=1)
        assert found["chosen"] == np.argsort(-scores, kind="stable").tolist()
        assert np.diff(np.sort(scores)).min() > 1e-6, "a tie would let two orders be right"


@pytest.mark.parametrize("ranking", ["standout", "response", "contrast", "one per group"])
def test_ties_go_to_the_lower_number_as_in_python(modules, ranking):
    block = cgnl_block(grid=GRID)
    for part in (block.theta, block.phi, block.g):
        part[1], part[9] = part[0], part[5]
        part[12:] = 0.0
        part[3:6] = part[3].clone()
    panel, shot = asked(modules, block, maps=ranking, count=15)
    for position, found in zip(POSITIONS, panel.maps(POSITIONS, ["group 0"]), strict=True):
        one = at(shot, position)
        assert found["chosen"] == one.kind.rank(one.block, one.cell, ranking)
        if ranking != "one per group":
            order = found["chosen"]
            assert order.index(0) + 1 == order.index(1)
            first = order.index(3)
            assert order[first : first + 3] == [3, 4, 5]
            assert order.index(12) + 2 == order.index(14)


def test_a_channel_without_spread_ranks_without_a_division_by_zero(modules):
    block = cgnl_block(grid=GRID)
    block.theta[2] = 1.0
    panel, shot = asked(modules, block, count=15)
    [found] = panel.maps([17], ["group 0"])
    one = at(shot, 17)
    assert sorted(found["chosen"]) == list(range(15))
    assert found["chosen"] == top(channel_kind.standout(one.block, [17])[:, 0])


@pytest.mark.parametrize(("grid", "names"), [(Grid(8, 29, 28), None)])
def test_maps_that_python_computed_are_handed_on(modules, grid, names):
    panel, shot = asked(modules, cgnl_block(grid=grid), count=2, shown=MapChoice("group", 1))
    assert panel.panel["arithmetic"] == "static"
    [found] = panel.maps([0])
    assert found["chosen"] == []
    maps = [*shot.maps, *shot.divisions]
    for name, wanted in zip(panel.panel["names"], maps, strict=True):
        made = found["maps"][name]
        assert (made["name"], made["tag"]) == (name, wanted.label)
        assert made["label"] == f"{wanted.part} {wanted.number}"
        exact = wanted.values.ravel()
        np.testing.assert_allclose(made["values"], exact, atol=HALF * np.ptp(exact))


def test_an_unknown_arithmetic_throws_with_its_name(modules):
    for name in ("cgnl", "", "toString", "__proto__"):
        told = modules.evaluate(
            """async (name) => {
              const { arithmeticOf } = await import("/picker/arithmetic/arithmetic.js");
              try { return typeof arithmeticOf(name); } catch (problem) { return problem.message; }
            }""",
            name,
        )
        assert told == f"{name} is not an arithmetic of the picker; it has rows, channels, static"


def test_every_arithmetic_that_a_kind_can_name_is_there_and_no_other(modules):
    for name in get_args(Arithmetic):
        there = modules.evaluate(
            """async (name) => {
              const { arithmeticOf } = await import("/picker/arithmetic/arithmetic.js");
              return Object.entries(arithmeticOf(name)).map(([k, v]) => [k, typeof v]).sort();
            }""",
            name,
        )
        assert there == [["choose", "function"], ["map", "function"], ["prepare", "function"]]
    files = {path.stem for path in (mount.FOLDER / "picker" / "arithmetic").glob("*.js")}
    assert files == {*get_args(Arithmetic), "arithmetic", "buffers"}
