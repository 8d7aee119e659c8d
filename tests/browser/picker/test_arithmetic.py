"""The picker's arithmetic as numbers: its ES modules in a browser against float64 in Python.

The modules are served as they are, on an address of no machine. What they get is what ``pack``
sends: so two references are held against them, the formulas of the papers on the factors that
arrived (float16), and the map kinds' own maps, which the browser's may miss by that rounding.
"""

import base64
from dataclasses import asdict, replace
from math import exp
from typing import get_args

import numpy as np
import pytest

from models.blocks.layout import Grid
from tests.browser.bare.shot_maps import map_of, moved
from tests.ui.drawn_scenes import cgnl_block, clip_of, drawn_scene, noise, nonlocal_block
from tests.viz.attention.captured import heads_block
from ui.components import mount
from ui.components.picker.payload import pack
from viz import geometry
from viz.attention.choice import MapChoice
from viz.attention.kinds import channels as channel_kind
from viz.attention.kinds.kind import Arithmetic, top
from viz.geometry import Geometry
from viz.rendering import heat as heats
from viz.rendering import marks
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Query, moment

ORIGIN = "http://picker.test"
HALF = 2.0**-11
"""How much of its size float16 rounds a number by."""
EXACT = {"rtol": 2e-6, "atol": 1e-9}
"""For sums of float32 numbers in another order."""

READ = """async (blob) => {
  const { arithmeticOf } = await import("/picker/arithmetic/arithmetic.js");
  const { readArrays } = await import("/picker/arithmetic/buffers.js");
  const { cellsOf } = await import("/picker/drawing/geometry.js");
  const bytes = Uint8Array.from(atob(blob), (c) => c.charCodeAt(0));
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const [panel] = header.panels;
  window.arrays = readArrays(bytes.buffer, 4 + size, panel.arrays);
  window.arithmetic = arithmeticOf(panel.arithmetic);
  window.panel = arithmetic.prepare({ ...panel, arrays });
  window.size = cellsOf(panel.keyGrid);
  return { panel, arrays: Object.fromEntries(Object.entries(arrays).map(([k, v]) => [k, [...v]])) };
}"""
ASK = """([names, positions]) => positions.map((i) => {
  const chosen = arithmetic.choose(panel, i);
  const maps = Object.fromEntries(names.map((name) => {
    const out = new Float32Array(size).fill(7);
    const words = arithmetic.map(panel, name, chosen, i, out);
    return [name, { ...words, values: [...out] }];
  }));
  return { chosen: [...chosen], maps };
})"""


@pytest.fixture(scope="module")
def modules(browser):
    """A page at whose address the files of ui/components are."""
    context = browser.new_context()
    page = context.new_page()

    def serve(route):
        path = route.request.url.removeprefix(f"{ORIGIN}/").split("?")[0]
        if not path:
            route.fulfill(content_type="text/html", body="<!doctype html>")
        else:
            body = (mount.FOLDER / path).read_text(encoding="utf-8")
            route.fulfill(content_type="text/javascript", body=body)

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
    yield page
    context.close()


class Asked:
    """A panel in the browser: its header, the arrays that arrived, and its maps at positions."""

    def __init__(self, page, found):
        blob = base64.b64encode(pack(found, Look())).decode()
        read = page.evaluate(READ, blob)
        self.page, self.panel = page, read["panel"]
        self.arrays = {name: np.array(values) for name, values in read["arrays"].items()}

    def maps(self, positions, names=None):
        names = names or self.panel["names"] or [""]
        return self.page.evaluate(ASK, [names, list(positions)])


def asked(page, block, **view):
    """Return the panel of a block in the browser, and its shot."""
    found = drawn_scene(clip_of(block.query_grid.frames), block, **view)
    return Asked(page, found), found.shots[0]


def at(shot, position):
    """The shot at a position of its grid."""
    grid = shot.block.query_grid
    t, inside = divmod(position, grid.rows * grid.cols)
    return moved(shot, grid.frames, (t, *divmod(inside, grid.cols)))


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def row_of(query, keys, options):
    """Eqs. 2-5 of Wang et al. 2018 for one query (d,) and keys (M, d), float64."""
    if options["form"] == "sum":
        values = np.maximum(0, query + keys[:, 0])
    else:
        values = keys @ query * options["scale"]
    made = {"softmax": softmax, "count": lambda row: row / len(row), "none": lambda row: row}
    return made[options["normaliser"]](values)


def rows_of(panel, position):
    """The rows of every head at a position, (H, M), of the factors that arrived."""
    options, arrays = panel.panel["options"], panel.arrays
    heads, groups, width = (options[name] for name in ("heads", "groups", "width"))
    queries = arrays["queries"].reshape(-1, heads, width)
    keys = arrays.get("keys", arrays["queries"]).reshape(-1, heads, width)
    own = position * groups // len(queries)
    first, size = own * len(keys) // groups, len(keys) // groups
    rows = np.zeros((heads, len(keys)))
    for head in range(heads):
        part = keys[first : first + size, head]
        rows[head, first : first + size] = row_of(queries[position, head], part, options)
    return rows


def half_error(shot, position, head):
    """How far a dot product of rounded factors may be from the true one, at most (M,)."""
    block = shot.block
    group, inside = divmod(position, block.query_grid.cells // block.groups)
    queries, keys = (part.abs().double().numpy() for part in block.factors(group, head))
    query = queries[inside]
    off_query = HALF * query + 2.0**-25 * block.queries.abs().max().item()
    off_keys = HALF * keys + 2.0**-25 * block.keys.abs().max().item()
    if block.pairwise.name == "concatenation":
        return off_query + off_keys[:, 0]
    return (off_keys @ (query + off_query) + keys @ off_query) * block.pairwise.scale


POSITIONS = (0, 17, 34, 55, 104)
GRID = Grid(3, 5, 7)


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize(
    ("keys", "groups"), [(None, 1), (Grid(3, 2, 3), 1), (None, 3), (Grid(3, 2, 3), 3)],
    ids=["all", "pooled keys", "groups", "groups of pooled keys"],
)  # fmt: skip
def test_rows_are_those_of_the_pairwise_functions(modules, name, keys, groups):
    panel, shot = asked(modules, nonlocal_block(name, GRID, keys, groups))
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        made = found["maps"][""]
        assert (made["label"], made["tag"], found["chosen"]) == ("NL row", "", [])
        values = np.array(made["values"])
        np.testing.assert_allclose(values, rows_of(panel, position)[0], **EXACT)
        exact = map_of(at(shot, position)).values.ravel()
        assert ((values == 0) >= (exact == 0)).all(), "what is outside its group is 0"
        off = half_error(shot, position, 0)
        if shot.block.pairwise.sums_to_one:
            assert values.sum() == pytest.approx(1, abs=1e-6)
            bound = (exp(2 * off.max()) - 1) * exact + 1e-7
        else:
            bound = off.max() / len(off) + 1e-7
        assert (np.abs(values - exact) <= bound).all()


def test_a_softmax_of_large_numbers_does_not_overflow(modules):
    block = nonlocal_block("gaussian", GRID)
    panel, _ = asked(modules, replace(block, queries=300 * block.queries))
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        values = found["maps"][""]["values"]
        np.testing.assert_allclose(values, rows_of(panel, position)[0], rtol=0.01, atol=1e-6)
        assert max(values) > 0.5


@pytest.mark.parametrize("name", ["embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize("groups", [1, 3])
def test_heads_have_rows_of_their_own_and_mean_and_maximum_are_taken_over_them(
    modules, name, groups
):
    panel, shot = asked(modules, nonlocal_block(name, GRID, groups=groups, heads=3))
    assert panel.panel["names"] == ["head 0", "head 1", "head 2", "mean", "maximum"]
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        maps, rows = found["maps"], rows_of(panel, position)
        wanted = [*rows, rows.mean(0), rows.max(0)]
        tags = ["h0", "h1", "h2", "mean", "maximum"]
        for choice, tag, row in zip(panel.panel["names"], tags, wanted, strict=True):
            assert (maps[choice]["label"], maps[choice]["tag"]) == (choice, tag)
            np.testing.assert_allclose(maps[choice]["values"], row, **EXACT)
            exact = map_of(at(shot, position), choice).values.ravel()
            np.testing.assert_allclose(maps[choice]["values"], exact, rtol=0.03, atol=2e-4)


def token_rows(panel, position):
    """The rows of every head of a layer of tokens, (H, M), of the factors that arrived."""
    options, arrays = panel.panel["options"], panel.arrays
    heads, width, keys = (options[name] for name in ("heads", "width", "keyTokens"))
    window = int(arrays["window"][position])
    own = arrays["keys"].reshape(-1, keys, heads, width)[window]
    query = arrays["queries"].reshape(-1, heads, width)[position]
    cell = arrays["keyCell"].reshape(-1, keys)[window].astype(int)
    rows = np.zeros((heads, GRID.cells))
    for head in range(heads):
        logits = own[:, head] @ query[head] * options["scale"]
        if "added" in arrays:
            table = int(arrays["addedOf"][window * heads + head])
            tables = arrays["added"].reshape(-1, options["queryTokens"], keys)
            logits = logits + tables[table, int(arrays["token"][position])]
        np.add.at(rows[head], cell[cell >= 0], softmax(logits)[cell >= 0])
    return rows


@pytest.mark.parametrize(
    "how", [{}, {"windows": 3}, {"added": True}, {"windows": 3, "added": True}], ids=str
)
def test_heads_over_tokens_leave_out_what_has_no_cell(modules, how):
    panel, shot = asked(modules, heads_block(GRID, **how))
    assert panel.panel["names"] == ["head 0", "head 1", "head 2", "mean", "maximum"]
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        rows = token_rows(panel, position)
        wanted = [*rows, rows.mean(0), rows.max(0)]
        for choice, row in zip(panel.panel["names"], wanted, strict=True):
            values = found["maps"][choice]["values"]
            np.testing.assert_allclose(values, row, rtol=2e-5, atol=1e-8)
            exact = map_of(at(shot, position), choice).values.ravel()
            np.testing.assert_allclose(values, exact, rtol=0.03, atol=2e-4)


def test_cosines_are_products_of_unit_vectors(modules):
    panel, shot = asked(modules, nonlocal_block(grid=GRID), kind="features")
    x = shot.block.block_input[0].double().flatten(1).T.numpy()
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        made = found["maps"][""]
        assert (made["label"], made["tag"]) == ("cosine", "")
        np.testing.assert_allclose(made["values"], rows_of(panel, position)[0], **EXACT)
        np.testing.assert_allclose(made["values"], units @ units[position], atol=4 * HALF)
        assert made["values"][position] == pytest.approx(1, abs=4 * HALF)


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
    few, _ = asked(modules, cgnl_block(kernel, grid=GRID), maps=ranking, count=4)
    [short] = few.maps([17], ["group 0"])
    assert short["chosen"] == panel.maps([17], ["group 0"])[0]["chosen"][:4]


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


BUFFERS = """async ([content, base, places]) => {
  const { readArrays } = await import("/picker/arithmetic/buffers.js");
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const arrays = readArrays(bytes.buffer, base, places);
  return Object.fromEntries(Object.entries(arrays).map(([k, v]) =>
    [k, [v.constructor.name, btoa(String.fromCharCode(...new Uint8Array(v.buffer)))]]));
}"""


def read_arrays(page, content, places, base=0):
    """What buffers.js reads, by name, float32."""
    found = page.evaluate(BUFFERS, [base64.b64encode(content).decode(), base, places])
    assert {kind for kind, _ in found.values()} == {"Float32Array"}
    return {
        name: np.frombuffer(base64.b64decode(content), np.float32)
        for name, (_, content) in found.items()
    }


def test_every_float16_there_is_is_read_as_numpy_reads_it(modules):
    bits = np.arange(65536, dtype=np.uint16)
    for first in range(0, 65536, 8192):
        part = bits[first : first + 8192].tobytes()
        place = {"offset": 0, "length": len(part), "type": "half", "peak": 1.0}
        found = read_arrays(modules, part, {"a": place})["a"]
        wanted = np.frombuffer(part, np.float16).astype(np.float32)
        np.testing.assert_array_equal(found, wanted)
        assert (np.signbit(found) == np.signbit(wanted))[~np.isnan(wanted)].all()


def test_peaks_heights_and_float32_are_read_from_their_places(modules):
    halves = np.array([0.5, -1.0, 0.25], np.float16)
    heights = np.array([0.0, 0.5, 1.0, np.nan], np.float16)
    floats = np.array([1e-30, np.pi, -3e38], np.float32)
    content = b"head" + halves.tobytes() + b"__" + heights.tobytes() + floats.tobytes()
    places = {
        "half": {"offset": 0, "length": 6, "type": "half", "peak": 1e4},
        "height": {"offset": 8, "length": 8, "type": "height", "low": -2.0, "span": 3.0},
        "float": {"offset": 16, "length": 12, "type": "float"},
    }
    found = read_arrays(modules, content, places, 4)
    np.testing.assert_array_equal(found["half"], np.float32([5000, -10000, 2500]))
    np.testing.assert_array_equal(found["height"], np.float32([-2, -0.5, 1, np.nan]))
    np.testing.assert_array_equal(found["float"], floats)


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


PLACES = """async ([geometry, grid, points]) => {
  const g = await import("/picker/drawing/geometry.js");
  return {
    under: points.map(([x, y]) => g.cellUnder(geometry, grid, x, y)),
    nearest: points.map(([x, y]) => g.nearestCell(geometry, grid, x, y)),
    centres: points.map((_, k) =>
      g.centreOf(geometry, grid, { row: k % grid.rows, col: k % grid.cols })),
    cells: g.cellsOf(grid),
  };
}"""


@pytest.mark.parametrize(
    "plan",
    [geometry.fit(640, 480, 224, 32), geometry.center_crop(311, 701, 73, 64),
     Geometry(67, 53, 134, 106, 32, 18, 70, 70)],
    ids=["fit", "crop", "odd crop"],
)  # fmt: skip
def test_pixels_and_cells_are_pythons(modules, plan):
    grid, draw = Grid(2, 5, 7), np.random.default_rng(3)
    points = [*(draw.uniform(-20, 1.1, (200, 2)) % 1 * 1.2 - 0.1) * [plan.width, plan.height]]
    points = [[float(x), float(y)] for x, y in points]
    found = modules.evaluate(PLACES, [asdict(plan), grid._asdict(), points])
    assert found["cells"] == 70
    for k, (x, y) in enumerate(points):
        nearest = found["nearest"][k]["row"], found["nearest"][k]["col"]
        assert nearest == plan.nearest_cell(x, y, grid)
        seen = plan.seen
        inside = seen.left <= x < seen.right and seen.top <= y < seen.bottom
        under = found["under"][k]
        assert (under is not None) == inside
        assert under is None or (under["row"], under["col"]) == plan.cell_at(x, y, grid)
        centre = found["centres"][k]["x"], found["centres"][k]["y"]
        assert centre == pytest.approx(plan.cell_centre(k % 5, k % 7, grid))


def test_frames_and_moments_are_pythons(modules):
    found = modules.evaluate(
        """async (most) => {
          const g = await import("/picker/drawing/geometry.js"), out = {};
          for (let k = 0; k < most * most; k++) {
            const frames = 1 + Math.floor(k / most), moments = 1 + (k % most);
            out[`${frames},${moments}`] = [
              Array.from({ length: frames }, (_, k) => g.momentOf(k, frames, moments)),
              Array.from({ length: moments }, (_, t) => g.frameOf(t, frames, moments))];
          }
          return out;
        }""",
        13,
    )
    assert len(found) == 169
    for key, (to_moment, to_frame) in found.items():
        frames, moments = map(int, key.split(","))
        assert to_moment == [moment(k, frames, moments) for k in range(frames)], key
        assert to_frame == [marks.frame_of(t, frames, moments) for t in range(moments)], key
