"""The scripts of examples/, run as a user runs them."""

import subprocess
import sys

import pytest
from PIL import Image

from tests.paths import ROOT
from viz.figure.files import embedded_recipe

pytestmark = pytest.mark.slow


def run(*arguments: str, script: str = "figure_in_python") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", f"examples.{script}", *arguments],
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


def test_the_example_of_any_network_prints_its_heads_and_writes_a_figure(tmp_path):
    lines = run(str(tmp_path / "new"), script="any_network")
    assert lines[0] == "layers.layers.0.self_attn: 4 heads over (1, 14, 14), 1 before"
    assert sum(line.startswith("h") for line in lines) == 4
    content = (tmp_path / "new" / "heads.pdf").read_bytes()
    (reference,) = embedded_recipe.read(content, "heads.pdf").references
    assert reference.views[0].network.id == "module:Transformer"


def test_the_page_of_any_network_has_ten_lines_that_run(monkeypatch, tmp_path):
    text = (ROOT / "docs" / "any-network.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    from examples.any_network import Transformer

    Image.new("RGB", (240, 180), "red").save(tmp_path / "bird.jpg")
    monkeypatch.chdir(tmp_path)
    exec(code, {"my_module": Transformer()})
    assert (tmp_path / "heads.pdf").read_bytes().startswith(b"%PDF")
