"""Every measure has its words, on the page and in docs/measures.md."""

from tests.paths import ROOT
from viz.evaluation import measures
from viz.evaluation.report import definitions


def test_every_measure_is_explained():
    assert tuple(definitions.WORDS) == measures.NAMES


def test_the_page_of_measures_has_the_same_words():
    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    for name, words in definitions.WORDS.items():
        assert f"| {name} | {words} |" in page, name


def test_what_was_asked_for_and_not_measured_is_named_with_what_it_needs():
    lines = definitions.unmeasured(("energy", "NMI", "object area", "row entropy"), {"row entropy"})
    assert lines == [
        "energy; object area (needs masks, outlines or boxes of the object)",
        "NMI (needs key points of two names or more, and two or more groups, heads or channels)",
    ]


def test_every_measure_that_needs_something_says_what():
    always = {"lit area", "row entropy", "distance in space", "share on the reference"}
    assert set(measures.NAMES) - definitions._NEEDS.keys() == always | {"query dependence"}
