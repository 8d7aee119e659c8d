"""Labels in any script: fonts of the machine for what a figure's font lacks, or one of your own."""

import logging
import re

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from matplotlib.font_manager import fontManager
from pypdf import PdfReader

import viz.figure
from errors import InputError
from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny
from viz.figure.draw.settings import fixed_settings
from viz.figure.page import fonts
from viz.figure.page.typesetting import plain, width_mm
from viz.figure.sources import FileSources

BIRD = "鳥"


def font_file(path, letters, family="Test Birds"):
    """Write a TrueType font in which every letter is a box."""
    names = {letter: f"glyph{ord(letter)}" for letter in letters}
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (600, 700), (600, 0)):
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    made = FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder([".notdef", *names.values()])
    made.setupCharacterMap({ord(letter): name for letter, name in names.items()})
    made.setupGlyf(dict.fromkeys([".notdef", *names.values()], box))
    made.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (800, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": family, "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.font["BDF "] = DefaultTable("BDF ")  # as Debian's Unifont has it
    made.font["BDF "].data = bytes(8)
    made.save(path)
    return str(path)


def forget():
    for function in (fonts.properties, fonts.family, fonts._candidates, fonts._further,
                     fonts._of_family, width_mm):  # fmt: skip
        function.cache_clear()


@pytest.fixture(autouse=True)
def _fonts_are_given_back():
    before = list(fontManager.ttflist)
    forget()
    yield
    fontManager.ttflist[:] = before
    fontManager._findfont_cached.cache_clear()
    forget()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A machine with one further font, which has the bird."""
    monkeypatch.setattr(fonts, "_candidates", lambda: ("Test Birds",))
    fontManager.addfont(font_file(tmp_path / "birds.ttf", BIRD))
    return "Test Birds"


def view(photo, **how):
    sources = FileSources(load=lambda _name, _answers: make_tiny(NonLocalSpec()))
    return viz.figure.view("example:bird", "tiny", (215, 120), dpi=60, sources=sources, **how)


@pytest.fixture
def photo():
    return np.zeros((64, 64, 3), np.uint8)


def test_a_letter_is_drawn_by_a_font_of_the_machine(installed, photo):
    assert plain(f"a bird, {BIRD}", "sans") == f"a bird, {BIRD}"
    assert fonts.properties("sans", f"a {BIRD}").get_family() == ["DejaVu Sans", installed]
    assert fonts.properties("sans", "a").get_family() == ["DejaVu Sans"]
    assert width_mm(BIRD, "sans", 10) == pytest.approx(0.8 * 10 * 25.4 / 72, rel=0.02)
    made = view(photo, label=f"bird {BIRD}")
    svg = made.content("svg").decode()
    assert BIRD in svg
    assert re.search(r"@font-face {font-family: 'Test Birds'", svg)
    assert made.content("png") != view(photo, label="bird").content("png")


def test_a_pdf_holds_the_letter(installed, photo, tmp_path):
    view(photo, label=f"bird {BIRD}").save(tmp_path / "a.pdf")
    found = PdfReader(tmp_path / "a.pdf").pages[0]
    assert BIRD in found.extract_text()


@pytest.mark.parametrize("kind", ["pdf", "svg", "eps"])
def test_the_library_that_cuts_fonts_writes_nothing_to_the_terminal(installed, photo, caplog, kind):
    logger = logging.getLogger("fontTools")
    logger.setLevel(logging.INFO)
    try:
        assert view(photo, label=f"bird {BIRD}").content(kind)
        assert [one for one in caplog.records if one.name.startswith("fontTools")] == []
        with pytest.raises(KeyError), fixed_settings():
            raise KeyError
        assert logger.level == logging.INFO
    finally:
        logger.setLevel(logging.NOTSET)


def test_a_font_of_ones_own_is_a_file(tmp_path, photo):
    path = font_file(tmp_path / "mine.ttf", f"{BIRD}NLgb ird", "Mine")
    made = view(photo, label=f"bird {BIRD}", own_font=path)
    assert made.recipe.layout.own_font == path
    assert fonts.properties(path, f"bird {BIRD}").get_family() == ["Mine"]
    assert "font-family: 'Mine'" in made.content("svg").decode()


def test_a_font_of_ones_own_is_a_family_that_is_installed(installed):
    assert fonts.family(installed) == installed


WRONG = {
    "no file": ("missing.ttf", None),
    "text": ("text.ttf", b"these are no letters"),
    "a font that is cut": ("cut.ttf", "cut"),
    "no family": ("No Such Family", None),
}


@pytest.mark.parametrize(("name", "content"), WRONG.values(), ids=WRONG)
def test_what_is_no_font_is_one_line(name, content, tmp_path, one_line):
    given = name
    if name.endswith(".ttf"):
        given = str(tmp_path / name)
    if content == "cut":
        font_file(tmp_path / "whole.ttf", BIRD)
        content = (tmp_path / "whole.ttf").read_bytes()[:200]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        fonts.family(given)
    one_line(caught.value)


def test_the_machines_fonts_are_tried_in_one_order():
    found = fonts._candidates()
    assert found[0].startswith("DejaVu")
    assert not [name for name in found if name.startswith(("Last Resort", "cm"))]
