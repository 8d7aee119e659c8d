"""A new map kind is one class and one row: Python, command line, figures and the picker show it."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import viz
import viz.figure
from errors import InputError
from models.blocks.layout import Grid
from models.specs.placement import Place
from tests.viz.attention.captured import cells
from ui.components.picker.payload import pack
from viz.attention import queries
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice
from viz.attention.kinds.kind import BrowserFactors, MapKind
from viz.attention.kinds.positions import check_cell
from viz.attention.kinds.registry import KINDS, derived_names, offered, rankings
from viz.cli import main
from viz.cli import maps as maps_command
from viz.figure.recipe import recipe_json
from viz.figure.recipe.file_names import without_folders
from viz.figure.resolve import scene
from viz.figure.sources import FileSources
from viz.rendering.heat import normalise
from viz.rendering.look import Look
from viz.types import AttentionMap, Query

AT = (41, 22)


@dataclass(frozen=True, eq=False)
class ToyCapture(BlockCapture):
    kind: ClassVar[str] = "toy"
    place: Place
    query_grid: Grid
    key_grid: Grid
    block_input: None = None


class Nearness(MapKind):
    """-|i - j|^2 in cells: how near a position is, whatever the network finds there."""

    name, title, menu = "toy", "Toy", "nearness to the reference"
    derived = True

    def can_derive(self, block):
        return block.place is not None

    def derive(self, capture, block):
        assert capture.blocks[block.label] is block
        return ToyCapture(block.place, block.query_grid, block.query_grid)

    def map(self, block, cell, choice=None):
        assert choice is None
        check_cell(cell, block.query_grid)
        values = [-((c.t - cell.t) ** 2 + (c.y - cell.y) ** 2 + (c.x - cell.x) ** 2)
                  for c in cells(block.key_grid)]  # fmt: skip
        shaped = np.array(values, np.float32).reshape(block.key_grid)
        return AttentionMap(shaped, Query(block.label, cell), "response, any sign", "near")

    def browser(self, block, selection):
        del selection
        places = torch.tensor([(c.t, c.y, c.x) for c in cells(block.query_grid)]).float()
        square, one = (places**2).sum(1, keepdim=True), torch.ones(len(places), 1)
        options = {
            "width": 5, "heads": 1, "groups": 1, "form": "product", "scale": 1.0,
            "normaliser": "none", "label": "near",
        }  # fmt: skip
        factors = {
            "queries": torch.cat([2 * places, square, one], 1),
            "keys": torch.cat([places, -one, -square], 1),
        }
        return BrowserFactors("rows", options, factors)

    def formula(self, block):
        del block
        return r"m(j)=-\lvert i-j\rvert^2"

    def sentence(self, block):
        return f"How near position j of {block.label} is to the reference."


class Rings(Nearness):
    """Rings around the reference, ranked from the widest: ``channel`` k is k cells away."""

    part = "channel"
    rankings = ("outside in",)
    ranking_help = "outside in: the widest ring first."
    browser = MapKind.browser

    def parts(self, block):
        del block
        return 7

    def rank(self, block, cell, ranking):
        del block, cell
        assert ranking == "outside in"
        return list(range(7))[::-1]

    def map(self, block, cell, choice=None):
        near = super().map(block, cell).values
        values = (np.round(np.sqrt(-near)) == choice.number).astype(np.float32)
        query = Query(block.label, cell)
        return AttentionMap(values, query, "response, any sign", f"r{choice.number}", "channel",
                            choice.number)  # fmt: skip


@pytest.fixture
def _toy(monkeypatch):
    monkeypatch.setitem(KINDS, "toy", Nearness())


@pytest.fixture
def _rings(monkeypatch):
    monkeypatch.setitem(KINDS, "toy", Rings())


near, rings = pytest.mark.usefixtures("_toy"), pytest.mark.usefixtures("_rings")


@pytest.fixture(params=["nl_model", "cgnl_model"])
def model(request, monkeypatch):
    """Return a tiny network of each kind, which the command line loads for any name."""
    found = request.getfixturevalue(request.param)
    monkeypatch.setattr(maps_command.models_command, "load_answered", lambda _name, _told: found)
    return found


@pytest.fixture
def photo(tmp_path, tiny_clip):
    path = tmp_path / "photo.png"
    Image.fromarray(tiny_clip.frames[0]).save(path)
    return path


def by_hand(grid, cell):
    """Return the nearness of every cell of (1, h, w), made with numpy."""
    y, x = np.mgrid[0 : grid.rows, 0 : grid.cols]
    return -((y - cell.y) ** 2 + (x - cell.x) ** 2)[None].astype(np.float32)


def sources_of(model):
    return FileSources(load=lambda _name, _answers: model)


def figure_of(model, photo, **how):
    return viz.figure.view(str(photo), "tiny", AT, kind="toy", sources=sources_of(model), **how)


@near
def test_every_block_offers_it(model, tiny_clip):
    capture = viz.capture(model, tiny_clip)
    names = [kind.name for kind in offered(capture.blocks["res4.4"])]
    assert names[-1] == "toy"
    assert "toy" in derived_names()


@near
def test_python_has_its_row(model, tiny_clip):
    capture = viz.capture(model, tiny_clip, size=128)
    row = viz.row(capture, at=AT, kind="toy")
    grid = capture.blocks["res4.4"].query_grid
    assert (row.values.shape, row.label, row.query.block) == (grid, "near", "res4.4")
    assert np.array_equal(row.values, by_hand(grid, row.query.cell))
    block = queries.block_of(capture, kind="toy")
    assert queries.block_of(capture, kind="toy") is block
    assert 0 < viz.query_dependence(block) < 1
    with pytest.raises(InputError, match=r"^Block res4.4 \(Toy\) has one map"):
        viz.maps(capture, at=AT, kind="toy")


@rings
def test_python_has_its_maps_by_rank_and_number(model, tiny_clip):
    capture = viz.capture(model, tiny_clip, size=128)
    maps = viz.maps(capture, at=AT, kind="toy")
    assert [one.label for one in maps] == ["r6", "r5", "r4", "r3", "r2"]
    assert "outside in" in rankings()
    listed = viz.maps(capture, at=AT, choose=[0, 3], kind="toy")
    grid, cell = capture.blocks["res4.4"].query_grid, listed[0].query.cell
    for one in listed:
        ring = np.round(np.sqrt(-by_hand(grid, cell))) == one.number
        assert np.array_equal(one.values, ring.astype(np.float32))
    with pytest.raises(InputError, match="^7 is not a channel of res4.4; it has channels 0 to 6"):
        viz.maps(capture, at=AT, choose=[7], kind="toy")


@pytest.mark.usefixtures("small_pages")
@pytest.mark.slow
@near
def test_the_command_line_writes_it(model, photo, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ["maps", str(photo), "--model", "tiny", "--kind", "toy", "--at", "41,22"]
    assert main.main([*asked, "--size", "128", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "heat", "maps.npz", "photo-near.png", "recipe.json",
    ]  # fmt: skip
    assert "near" in capsys.readouterr().out
    row = viz.row(viz.capture(model, photo, size=128), at=AT, kind="toy")
    with np.load(out / "maps.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["values"], row.values[None])
        assert arrays["labels"].tolist() == ["near"]
    (reference,) = recipe_json.loads((out / "recipe.json").read_bytes()).references
    assert [view.kind for view in reference.views] == ["toy"]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.slow
@rings
def test_the_command_line_writes_each_of_its_maps(model, photo, tmp_path):
    out = tmp_path / "out"
    asked = ["maps", str(photo), "--model", "tiny", "--kind", "toy", "--at", "41,22"]
    assert main.main([*asked, "--maps", "0,2", "--out", str(out)]) == 0
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert pictures == ["photo-r0.png", "photo-r2.png"]
    assert main.main([*asked, "--maps", "outside in", "--out", str(tmp_path / "all")]) == 0
    assert len(list((tmp_path / "all").glob("*.png"))) == 5


@near
def test_the_help_of_the_command_line_lists_it(capsys):
    with pytest.raises(SystemExit):
        main.main(["maps", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "toy (nearness to the reference)" in words


def test_it_is_refused_where_it_is_not_in_the_table(model, photo, tmp_path, capsys):
    asked = ["maps", str(photo), "--model", "tiny", "--kind", "toy", "--at", "41,22"]
    assert main.main([*asked, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "'toy'" in error
    assert not (tmp_path / "out").exists()


@near
def test_a_figure_shows_it_and_its_recipe_says_so(model, photo):
    figure = figure_of(model, photo)
    row = viz.row(viz.capture(model, photo), at=AT, kind="toy")
    ((panel,),) = [row.panels for row in figure.panel_rows().rows]
    shade = panel.content.shade
    assert np.array_equal(shade.heat.values, normalise(row, Look()).values)
    assert panel.head == "Toy · tiny"
    assert figure.content("png").startswith(b"\x89PNG")
    text = recipe_json.dumps(figure.recipe)
    assert recipe_json.loads(text) == without_folders(figure.recipe)
    assert json.loads(text)["references"][0]["views"][0]["kind"] == "toy"


@rings
def test_a_figure_shows_the_one_that_is_chosen_or_the_first(model, photo):
    capture = viz.capture(model, photo)
    for shown, number in ((None, 6), ("channel 2", 5), ("c0", 0)):
        (row,) = figure_of(model, photo, shown=shown).panel_rows().rows
        [ring] = viz.maps(capture, at=AT, choose=[number], kind="toy")
        assert np.array_equal(
            row.panels[0].content.shade.heat.values, normalise(ring, Look()).values
        )


def unpacked(blob):
    size = int.from_bytes(blob[:4], "little")
    return json.loads(blob[4 : 4 + size]), blob[4 + size :]


def picked(model, photo, **how):
    """Return the scene that the picker shows, its one panel, and what reads an array of it."""
    figure = figure_of(model, photo, **how)
    (reference,) = figure.recipe.references
    found = scene(reference, figure.sources)
    header, body = unpacked(pack(found, Look()))
    (panel,) = header["panels"]

    def read(name):
        place = panel["arrays"][name]
        if place["type"] == "float":
            return np.frombuffer(body, np.float32, place["length"] // 4, place["offset"])
        values = np.frombuffer(body, np.float16, place["length"] // 2, place["offset"])
        assert place["type"] == "half"
        return place["peak"] * values.astype(float)

    return found.shots[0], panel, read


@near
def test_the_picker_makes_its_rows_of_queries_and_keys(model, photo):
    shot, panel, read = picked(model, photo, size=128)
    assert (panel["arithmetic"], panel["title"], panel["names"]) == ("rows", "Toy", [])
    assert (panel["referenced"], panel["still"]) == (True, False)
    width, grid = panel["options"]["width"], shot.block.query_grid
    table = read("queries").reshape(-1, width) @ read("keys").reshape(-1, width).T
    for i, cell in enumerate(cells(grid)):
        np.testing.assert_allclose(table[i], by_hand(grid, cell).ravel(), atol=0.3)
    assert panel["grid"] == panel["keyGrid"] == grid._asdict()


@rings
def test_the_picker_gets_the_maps_of_a_kind_that_computes_nothing_there(model, photo):
    shot, panel, read = picked(model, photo, maps="4,1", size=128)
    assert panel["arithmetic"] == "static"
    assert panel["names"] == ["channel 1", "channel 2"]
    assert panel["shown"] == "channel 1"
    tags = [word["tag"] for word in panel["options"]["maps"]]
    assert tags == ["r4", "r1"]
    for name, number in (("channel 1", 4), ("channel 2", 1)):
        expected = shot.kind.map(shot.block, shot.cell, MapChoice("channel", number)).values
        np.testing.assert_allclose(read(name), expected.ravel(), atol=1e-3)
