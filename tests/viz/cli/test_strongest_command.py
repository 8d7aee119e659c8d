"""``strongest``: files, lines and refusals."""

import pytest

from models.specs.block import CGNLSpec
from models.zoo import catalogue
from tests.conftest import make_tiny
from tests.viz.evaluation.drawn_birds import dataset
from viz.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setattr(catalogue, "load", lambda *_args, **_how: make_tiny(CGNLSpec(groups=8)))


def test_it_writes_the_table_and_a_figure_with_its_recipe_for_each_number(tmp_path, capsys):
    folder, out = dataset(tmp_path / "data", 3), tmp_path / "o"
    (folder / "02.png").write_bytes(b"broken")
    asked = ["strongest", str(folder), "--model", "tiny", "--out", str(out), "--part", "group"]
    assert main.main([*asked, "--maps", "1,3", "--count", "2", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "1 of 3 pictures failed" in said
    assert "group 3" in said
    names = {path.name for path in out.iterdir()} - {".lock"}
    drawn = {f"group-{number}.{kind}" for number in (1, 3) for kind in ("png", "json")}
    assert names == drawn | {"strongest.csv", "manifest.json", "run.json", "parts"}
    again = tmp_path / "again.png"
    asked = ["render", str(out / "group-1.json"), "--media", str(folder), "--out", str(again)]
    assert main.main(asked) == 0
    assert again.read_bytes() == (out / "group-1.png").read_bytes()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--part", "head"], "use channel, group"),
        (["--channels", "x"], "are no numbers"),
        (["--number", "9999"], "is not a channel here"),  # the old name of --maps
        (["--count", "0"], "give 1 to 50"),
        (["--model", "b"], "more than once"),
    ],
)
def test_refusals_are_one_line_and_end_with_code_2(more, said, tmp_path, capsys):
    folder = dataset(tmp_path / "data", 1)
    asked = ["strongest", str(folder), "--model", "tiny", "--out", str(tmp_path / "o"), *more]
    assert main.main(asked) == 2
    problem = capsys.readouterr().err
    assert said in problem
    assert problem.count("\n") == 1
