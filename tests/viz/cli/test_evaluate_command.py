"""``evaluate``: files, lines and refusals."""

import pytest

from models.specs.block import NonLocalSpec
from models.zoo import catalogue
from tests.conftest import make_tiny
from tests.viz.evaluation.drawn_birds import dataset
from viz.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setattr(catalogue, "load", lambda *_args, **_how: make_tiny(NonLocalSpec()))


def test_it_writes_its_tables_and_prints_the_summary(tmp_path, capsys):
    folder, out = dataset(tmp_path / "data", 3), tmp_path / "o"
    (folder / "02.png").write_bytes(b"broken")
    asked = ["evaluate", str(folder), "--model", "tiny", "--out", str(out), "--maps", "map,chance"]
    assert main.main([*asked, "--measures", "part coverage, equal area,energy"]) == 0
    said = capsys.readouterr().out
    assert "1 of 3 pictures failed" in said
    assert "tiny, map, part coverage, equal area" in said
    names = {path.name for path in out.iterdir()} - {".lock"}
    tables = {"cases.parquet", "cases.csv", "summary.csv", "differences.csv", "summary.pdf"}
    pictures = {"best-tiny.png", "worst-tiny.png"}
    assert names == tables | pictures | {"manifest.json", "run.json", "parts"}
    assert (out / "summary.pdf").read_bytes()[:5] == b"%PDF-"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--measures", "beauty"], "'beauty' is not a measure"),
        (["--maps", "guess"], "'guess' is not a map"),
        (["--split", "test"], "has no images.txt"),
        (["--block", "res9"], "is not a block"),
        (["--size", "7"], "out of range"),
    ],
)
def test_refusals_are_one_line_and_end_with_code_2(more, said, tmp_path, capsys):
    folder = dataset(tmp_path / "data", 2)
    asked = ["evaluate", str(folder), "--model", "tiny", "--out", str(tmp_path / "o"), *more]
    assert main.main(asked) == 2
    problem = capsys.readouterr().err
    assert said in problem
    assert problem.count("\n") == 1
