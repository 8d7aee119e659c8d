"""The line that the Evaluate page shows for the command line asks for what the page measured."""

import shlex

import pytest

from ui.numbers.evaluate import results
from ui.numbers.evaluate.settings import Wanted
from viz.cli import evaluate
from viz.cli.main import parser
from viz.evaluation.evaluate import Asked


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(("top-1, block removed", "energy"), ("map", "grad-cam"), "res4.4", area=0.3),
        Asked(threshold=0.4, parts="channels"),
    ],
)
def test_the_line_for_the_command_line_asks_for_the_same(asked):
    line = results._options(Wanted(("e2-nl", "my net"), asked))
    args = parser("evaluate").parse_args(["evaluate", "DATA", *shlex.split(line), "--out", "o"])
    assert args.model == ["e2-nl", "my net"]
    assert evaluate.asked(args) == asked
