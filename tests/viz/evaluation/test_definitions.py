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
