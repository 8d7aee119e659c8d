"""The scripts of examples/, run as a user runs them."""

import subprocess
import sys

import pytest
from PIL import Image

from tests.paths import ROOT
from viz.figure.files import embedded_recipe

pytestmark = pytest.mark.slow


def run(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "examples.figure_in_python", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_python_example_prints_maps_and_writes_a_figure_that_can_be_drawn_again(tmp_path):
    lines = run(str(tmp_path / "new"))
    assert lines[0].startswith("NL row (1, ")
    assert sum(line.startswith("CGNL c") for line in lines) == 5
    assert lines[-1] == "drawn again: equal"
    content = (tmp_path / "new" / "figure.pdf").read_bytes()
    text = (tmp_path / "new" / "recipe.json").read_bytes()
    assert embedded_recipe.read(content, "figure.pdf") == embedded_recipe.read(text, "recipe.json")
    with Image.open(tmp_path / "new" / "figure.png") as picture:
        assert picture.width == 2062  # 6.875 in at 300 dpi
