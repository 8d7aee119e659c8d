"""The cost tables: counts worked by hand, and what the papers say."""

import pytest
import torch
from torch import nn

from models.blocks.cgd_block import CGDBlock
from models.blocks.comparison import BAMBlock
from models.specs.block import BAMSpec, CGNLSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, ModelSpec
from viz.cli import main
from viz.evaluation.costs import counting as costs
from viz.evaluation.costs import growth, orders
from viz.evaluation.costs.papers import TABLES, Cost, Row, Table, short


@pytest.mark.parametrize("frames", [1, 3])
def test_a_cgd_costs_six_parameters_and_multiply_adds_a_channel_and_frame(frames):
    with torch.device("meta"):
        block = CGDBlock(7, CGDSpec())
        x = torch.empty(frames, 7, 5, 11)
    assert costs.cost_of(block, x) == Cost(6 * 7, 6 * 7 * frames)
    assert not block._forward_hooks


def test_a_convolution_costs_its_kernel_at_each_place():
    with torch.device("meta"):
        conv, x = nn.Conv2d(3, 5, 3, padding=1, bias=False), torch.empty(1, 3, 7, 11)
    assert costs.cost_of(conv, x) == Cost(3 * 5 * 9, 3 * 5 * 9 * 7 * 11)


TINY = CompactSpec("wrn", "10-1", 7)


def test_what_a_network_holds_is_counted_as_the_difference_to_the_plain_one():
    row = Row("CGD", Cost(0, 0), CompactSpec("wrn", "10-1", 7, CGDSpec()))
    found = costs.added(Table("tiny", TINY, Cost(0, 0), (row,), size=8), row)
    assert found == Cost(6 * (16 + 32 + 64), 6 * (16 + 32 + 64))


def test_what_stands_beside_units_is_counted_at_the_size_of_their_outputs():
    def make(channels):
        return BAMBlock(channels, BAMSpec())

    row = Row("BAM", Cost(0, 0), make=make, units=("block2.layer.0",))
    found = costs.added(Table("tiny", TINY, Cost(0, 0), (row,), size=12), row)
    # 32 channels, 2 inside, on 6 x 6: 1x1, two 3x3, 1x1, and the dense layers once.
    assert found.multiply_adds == (32 * 2 + 2 * 2 * 2 * 9 + 2) * 36 + 2 * 32 * 2


def test_numbers_are_short():
    assert [short(n) for n in (7, 2560, 2.5309e6, 4.089e9, float("nan"))] == [
        "7",
        "2.56K",
        "2.531M",
        "4.089G",
        "-",
    ]


EXPLAINED = {"A2, 5 blocks"}


def test_the_papers_resnet_rows_are_met_within_rounding():
    table = next(t for t in TABLES if t.title.startswith("CGD, Table 6"))
    for row in table.rows:
        if row.name in EXPLAINED:
            assert row.note
            continue
        found = costs.added(table, row)
        assert found.multiply_adds == pytest.approx(row.paper.multiply_adds, rel=0.02)
        assert found.parameters == pytest.approx(row.paper.parameters, rel=0.15)


def test_each_row_says_how_it_is_built_and_each_line_both_numbers():
    for table in TABLES:
        for row in table.rows:
            assert (row.spec is None) == (row.make is not None) == bool(row.units)
    tiny = Table("tiny", TINY, Cost(1e6, 2e9), (), size=8, note="why")
    title, plain = costs.lines_of(costs.compared(tiny))
    assert title.startswith("tiny")
    assert plain.endswith("(why)")
    assert "1M" in plain
    assert "2G" in plain


def test_a_line_says_paper_ours_and_the_difference():
    paper = Cost(costs.network_cost(TINY, 1, 8).parameters, float("nan"))
    _title, plain = costs.lines_of(costs.compared(Table("tiny", TINY, paper, (), size=8)))
    assert "+0.0%" in plain
    assert plain.rstrip().endswith("-")


def test_the_nl_papers_ratios_are_met_within_its_rounding():
    plain, nl, _i3d = costs.compared_ratios()
    assert not plain.is_ratio
    assert list(nl.ours) == pytest.approx([1.2, 1.2], abs=0.08)
    assert "1.20x" in list(costs.lines_of([nl]))[1]


def test_every_difference_of_five_percent_has_its_reason():
    lines = list(costs.every())
    tables = {one.table: one.note for one in lines if one.name == "plain"}
    for one in lines:
        if max(map(abs, one.differences)) > 0.05:
            assert one.note or tables[one.table], one


def test_products_grow_with_the_powers_that_the_papers_print():
    for one in orders.measured():
        assert one.powers == pytest.approx(one.order.powers, abs=0.01), one.order


def test_blocks_grow_as_the_papers_say():
    powers = {name: growth.exponent(values) for name, values in growth.counted().items()}
    assert powers["NL"] == pytest.approx(2, abs=0.15)
    assert powers["CGNL"] == pytest.approx(1, abs=0.01)
    assert powers["CGD"] == pytest.approx(0, abs=0.01)


def test_growth_is_counted_at_every_size():
    lines = growth.lines()
    assert len(lines) == 3 + len(growth.SIZES)
    assert "100352" in lines[-3]


def test_why_the_curve_of_cgd_has_steps_is_what_its_numbers_say():
    found = growth.counted()
    frames = [grid[0] for grid in growth.SIZES]
    assert found["CGD"] == [6 * growth.CHANNELS * count for count in frames]
    assert "costs 6 C multiply-adds a frame" in growth.steps(found)
    assert growth.lines()[-1] == growth.steps(found)


def test_a_block_costs_what_a_network_with_it_costs_more():
    spec = ModelSpec(block=CGNLSpec(), placement="1")
    (cost,) = costs.block_costs(spec, 1, 64).values()
    with_block, without = (costs.network_cost(s, 1, 64) for s in (spec, ModelSpec()))
    assert cost.parameters == with_block.parameters - without.parameters
    assert cost.multiply_adds == with_block.multiply_adds - without.multiply_adds


@pytest.mark.parametrize(("asked", "said"), [
    (["--model", "e2-nl", "--frames", "0"], "--frames 0 is out of range"),
    (["--model", "e2-nl", "--size", "5"], "out of range"),
    (["--growth", "a.bmp"], "give a .pdf"),
])  # fmt: skip
def test_the_command_refuses_in_one_line(asked, said, capsys, monkeypatch):
    monkeypatch.setattr(growth, "lines", list)
    monkeypatch.setattr(costs, "report", list)
    assert main.main(["cost", *asked]) == 2
    problem = capsys.readouterr().err
    assert said in problem
    assert problem.count("\n") == 1


@pytest.mark.slow
def test_the_command_prints_networks_with_their_blocks(capsys, tmp_path):
    plot = tmp_path / "growth.pdf"
    asked = ["cost", "--model", "e2-nl", "--size", "224", "--growth", str(plot)]
    assert main.main(asked) == 0
    said = capsys.readouterr().out
    assert "e2-nl: 1 x 224 x 224:" in said
    assert "multiply-adds (" in said
    assert plot.read_bytes()[:5] == b"%PDF-"
