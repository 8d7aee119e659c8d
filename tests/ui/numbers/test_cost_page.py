"""The Cost page: a network at a size, growth, the papers' tables: the numbers of the command."""

import shlex

import pytest

from tests.ui.pages import app, assert_sound
from ui.numbers.cost import tables
from viz.cli.main import main
from viz.evaluation.costs import counting, growth
from viz.evaluation.costs.papers import short

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _counted_anew():
    """The tables are kept for the whole process: neither from other tests nor for them."""
    tables.papers.clear()
    yield
    tables.papers.clear()


def test_the_page_shows_what_the_command_prints(monkeypatch, capsys):
    ratios = list(counting.compared_ratios())
    monkeypatch.setattr(counting, "every", lambda: iter(ratios))
    at = assert_sound(app().switch_page("pages/cost.py").run())
    of_network, of_orders, of_papers = (table.value for table in at.dataframe)
    assert list(of_papers["Multiply-adds, ours"]) == [
        short(ratios[0].ours.multiply_adds),
        *(f"{one.ours.multiply_adds:.2f}x" for one in ratios[1:]),
    ]
    said = "".join(one.value for one in at.caption).replace("\\", "")
    assert all(one.note in said for one in ratios)
    assert growth.steps(growth.counted()) in said
    assert "N^2.00 C^2.00" in set(of_orders["Measured"])
    before = of_network["Multiply-adds"][0]
    at.number_input(key="cost-size").set_value(448).run()
    after = assert_sound(at).dataframe[0].value
    line = at.code[0].value.removeprefix("python -m viz ")
    capsys.readouterr()
    assert main(shlex.split(line)) == 0
    assert f"{after['Multiply-adds'][0]} multiply-adds" in capsys.readouterr().out
    assert after["What"][0] == "the whole network"
    assert after["What"][1].startswith("block ")
    assert after["Multiply-adds"][0] != before


def test_the_growth_goes_to_the_size_of_videos():
    figure = tables.growth_chart()
    assert max(figure.data[0].x) == 32 * 56 * 56
    assert {line.name for line in figure.data} == set(growth.BLOCKS)
