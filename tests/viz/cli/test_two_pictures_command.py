"""``--second`` on the command line: maps, figures and their recipes of two pictures."""

import numpy as np
import pytest
from PIL import Image

from models.checkpoints import own
from models.specs.block import NonLocalSpec
from tests.conftest import assert_one_line, draw, make_tiny
from tests.viz.drawn_clips import animation, frames
from viz.cli import main
from viz.figure.files import embedded_recipe

pytestmark = [pytest.mark.usefixtures("small_pages"), pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("pictures")
    Image.fromarray(draw(53, 67)[0]).save(where / "a.png")
    Image.fromarray(draw(83, 61)[0][:, ::-1]).save(where / "b.png")
    (where / "clip.gif").write_bytes(animation(frames(5, 40, 60)))
    tiny = make_tiny(NonLocalSpec())
    own.write(where / "nl.safetensors", tiny.network, tiny.class_names, "A tiny network")
    return where


def run(folder, command, *more):
    model = ["--model", str(folder / "nl.safetensors")]
    return main.main([*command, str(folder / "a.png"), *model, *more])


def test_maps_of_two_pictures_are_written_and_matches_listed(folder, capsys):
    out = folder / "maps"
    second = ["--second", str(folder / "b.png"), "--at", "30,20"]
    assert run(folder, ["maps"], *second, "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "match 1 in b.png: row" in said
    with np.load(out / "maps.npz", allow_pickle=False) as kept:
        assert str(kept["picture_second"]) == "b.png"
        both = kept["values"].sum() + kept["values_second"].sum()
    assert both == pytest.approx(1, abs=1e-5)
    assert (out / "heat" / "a-NL-second.png").exists()
    assert main.main(["render", str(out / "recipe.json"), "--out", str(folder / "x.png")]) == 0
    assert (folder / "x.png").read_bytes() == (out / "a-NL.png").read_bytes()


def test_lines_between_two_pictures_are_drawn_again_where_the_second_has_moved(folder, tmp_path):
    out = folder / "matches.png"
    second = str(folder / "b.png")
    assert run(folder, ["figure", "matches"], "--second", second, "--out", str(out)) == 0
    [reference] = embedded_recipe.read(out.read_bytes(), "matches.png").references
    assert (reference.second.path, reference.at) == ("b.png", None)
    moved = tmp_path / "moved.png"
    moved.write_bytes((folder / "b.png").read_bytes())
    kept = (folder / "b.png").rename(tmp_path / "away.png")
    try:
        again = ["render", str(out), "--out", str(tmp_path / "again.png")]
        assert main.main(again) == 2
        assert main.main([*again, "--media", f"b.png={moved}"]) == 0
    finally:
        kept.rename(folder / "b.png")
    assert (tmp_path / "again.png").read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("second", "says"),
    [("clip.gif", "goes with one picture"), ("gone.png", "gone.png"), ("nl.safetensors", "")],
)
def test_what_is_no_second_picture_is_refused(folder, capsys, second, says):
    more = ["--second", str(folder / second), "--at", "30,20", "--out", str(folder / "no")]
    assert run(folder, ["maps"], *more) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert says in said
    assert_one_line(ValueError(said))
    assert not (folder / "no").exists()
