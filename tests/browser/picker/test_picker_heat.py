"""The picker's heat: scales, displays, cuts, highest values and ranks are Python's."""

from dataclasses import asdict

import numpy as np
import pytest

from tests.browser.picker.conftest import GRID
from tests.ui.drawn_scenes import noise
from viz.rendering import heat as heats
from viz.rendering import marks
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Query

NORMALISE = """async ([values, grid, look, own = -1]) => {
  const { emptyHeat, normalise } = await import("/picker/drawing/heat.js");
  const heat = emptyHeat(grid);
  heat.values.fill(9);
  normalise(Float32Array.from(values), look, heat, own);
  return { ...heat, values: [...heat.values], peaks: [...heat.peaks], levels: [...heat.levels] };
}"""


def usual():
    """(3, 5, 7) float32."""
    return noise(*GRID, seed=8).numpy().copy()


def changed(*places):
    """The usual map with other values at places or in whole frames."""
    values = usual()
    for place, value in places:
        values[place] = value
    return values


FLAT = np.float32(0.1)
ODD = {
    "usual": usual(),
    "nan": changed(((0, 0, 0), np.nan), ((1, 2, 3), np.nan)),
    "infinite": changed(((0, 1, 1), np.inf), ((2, 2, 2), -np.inf)),
    "constant": changed((slice(None), FLAT)),
    "nearly constant": (FLAT + 1e-7 * usual()).astype(np.float32),
    "constant frame": changed((1, FLAT)),
    "frame of nan": changed((2, np.nan)),
    "no number": changed((slice(None), np.nan)),
    "only infinite": changed((slice(None), np.inf), (1, -np.inf)),
    "tiny": usual() * np.float32(1e-30),
    "zero": changed((slice(None), 0)),
    "ties": np.round(usual()).astype(np.float32),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "look",
    [Look(), Look("frame"), Look("fixed", fixed_range=(-0.5, 1.25)),
     Look("fixed", fixed_range=(2.0, 2.0))],
    ids=["clip", "frame", "fixed", "empty range"],
)  # fmt: skip
def test_maps_are_scaled_as_python_scales_them(modules, name, look):
    values = ODD[name]
    attention = AttentionMap(values, Query("res4.4", Cell(0, 0, 0)), "response, any sign")
    wanted = heats.normalise(attention, look)
    settings = {"normalise": look.normalise, "fixed_range": list(look.fixed_range)}
    found = modules.evaluate(NORMALISE, [values.ravel().tolist(), GRID._asdict(), settings])
    assert found["constant"] == wanted.constant
    np.testing.assert_allclose(found["values"], wanted.values.ravel(), atol=1e-6)
    assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high), rel=1e-6)
    np.testing.assert_allclose(found["peaks"], wanted.values.max((1, 2)), atol=1e-6)


OWN = (1, 2, 3)
DISPLAYED = {
    "usual": usual(),
    "towering": changed((OWN, 40.0)),
    "weights": np.abs(usual()),
    "weights with zeros": np.maximum(usual(), 0),
    "weights that tower": np.abs(changed((OWN, 40.0))),
    "nan": ODD["nan"],
    "infinite": ODD["infinite"],
    "one moment without anything": np.concatenate([np.zeros_like(usual()[:1]), usual()[1:]]),
    "no number": ODD["no number"],
    "constant": ODD["constant"],
}


@pytest.mark.parametrize("name", DISPLAYED)
@pytest.mark.parametrize("normalise", ["clip", "frame", "fixed"])
@pytest.mark.parametrize("display", ["linear", "log", "without-reference", "auto"])
@pytest.mark.parametrize("cut", ["value", "area", "mass"])
def test_displays_and_cuts_are_pythons(modules, name, normalise, display, cut):
    values = DISPLAYED[name]
    look = Look(normalise, 0.4, fixed_range=(0.01, 2.0), display=display, cut=cut, share=0.3)
    attention = AttentionMap(values, Query("r", Cell(0, 0, 0)), "response, any sign", own=OWN)
    wanted = heats.normalise(attention, look)
    own = int(np.ravel_multi_index(OWN, values.shape))
    settings = asdict(look)
    found = modules.evaluate(NORMALISE, [values.ravel().tolist(), GRID._asdict(), settings, own])
    assert (found["constant"], found["constant"] or found["display"]) == (
        wanted.constant, wanted.constant or wanted.display,
    )  # fmt: skip
    np.testing.assert_allclose(found["values"], wanted.values.ravel(), atol=2e-6)
    if not wanted.constant:
        assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high), rel=1e-5)
        levels = [wanted.level(t, look) for t in range(len(values))]
        np.testing.assert_allclose(found["levels"], levels, atol=2e-6)


MARKS = """async ([values, count]) => {
  const { rankOf, strongest } = await import("/picker/drawing/heat.js");
  const all = Float32Array.from(values);
  return { best: strongest(all, count), ranks: [...all.keys()].map((k) => rankOf(all, k)) };
}"""


@pytest.mark.parametrize("count", [0, 1, 20, 105])
@pytest.mark.parametrize("name", ["usual", "ties", "infinite", "nan"])
def test_the_highest_values_and_ranks_are_pythons(modules, name, count):
    values = ODD[name]
    attention = AttentionMap(values, Query("res4.4", Cell(0, 0, 0)), "response, any sign")
    found = modules.evaluate(MARKS, [values.ravel().tolist(), count])
    best = [cell.position(GRID) for cell in marks.strongest(attention, count)]
    numbers = int((~np.isnan(values)).sum())
    assert found["best"] == [p for p in best if not np.isnan(values.ravel()[p])][:numbers]
    ranks = [int((values > one).sum()) + 1 for one in values.ravel()]
    assert found["ranks"] == ranks
