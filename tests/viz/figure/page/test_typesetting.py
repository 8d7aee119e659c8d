"""Letters: measured like the drawing does, broken between words, refused where a font has none."""

from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from errors import InputError
from viz.figure.page import fonts, typesetting
from viz.figure.page.fonts import FAMILIES
from viz.figure.page.typesetting import MM_PER_POINT, broken, plain, width_mm

FONTS = list(FAMILIES)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
labels = st.lists(texts, max_size=9).map(" ".join)


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("text", ["NL", "iiii", "WWWW", "$x^2$ <b>", "CGNL c17, group 3"])
def test_a_text_is_as_wide_as_it_is_drawn(font, text):
    figure = Figure((8, 2), dpi=72)
    drawn = figure.text(
        0, 0, text, fontproperties=fonts.properties(font), fontsize=50, parse_math=False
    )
    points = drawn.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width
    # Ink may begin after the pen does, and end before it; hinting rounds to whole pixels.
    assert width_mm(text, font, 50) == pytest.approx(points * MM_PER_POINT, abs=3.5)
    assert width_mm(text, font, 8) == pytest.approx(width_mm(text, font, 50) * 8 / 50, rel=0.05)


@settings(max_examples=60, deadline=None)
@given(labels, st.floats(2, 80), st.sampled_from(FONTS))
@example("i 00o0", 7.0, "sans")  # a piece of a word, which would have fitted
def test_lines_hold_every_word_in_order_and_fit_the_room(text, room, font):
    lines = broken(text, room, font, 8)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert width_mm(line, font, 8) <= room or len(line) == 1
    words = text.split()
    whole = dict(zip(accumulate(map(len, words), initial=0), words, strict=False))
    ends = accumulate(len(line.replace(" ", "")) for line in lines)
    for line, after, end in zip(lines, lines[1:], ends, strict=False):
        # No line is broken that had room for the next word; pieces of a word begin a line.
        first = after.split()[0]
        if whole.get(end) == first:
            assert width_mm(f"{line} {first}", font, 8) > room


def test_lines_break_between_words_where_that_can_be():
    room = width_mm("ground truth", "sans", 8) + 0.01
    assert broken("ground truth parts", room, "sans", 8) == ["ground truth", "parts"]
    assert broken("ground", width_mm("grou", "sans", 8) + 0.01, "sans", 8) == ["grou", "nd"]
    assert broken("", 10, "sans", 8) == []
    assert broken("abc", 0, "sans", 8) == ["a", "b", "c"]


def test_a_label_is_one_line_letter_for_letter():
    assert plain("  $x^2$\n<b>\t&amp; {x} \\alpha ", "sans") == "$x^2$ <b> &amp; {x} \\alpha"
    assert plain("Größe, café, 5×5, 90 %, θᵢ", "sans") == "Größe, café, 5×5, 90 %, θᵢ"
    assert plain("", "times") == ""


@pytest.fixture
def no_other_fonts(monkeypatch):
    """A machine that has the program's fonts only."""
    monkeypatch.setattr(fonts, "_candidates", lambda: ())
    fonts._further.cache_clear()
    yield
    fonts._further.cache_clear()


@pytest.mark.parametrize("letter", ["鳥", "\U0001f426", "\x00", "\x1b", "\u200b", "\ue123"])
@pytest.mark.parametrize("font", FONTS)
def test_a_letter_that_no_font_has_is_refused_by_number_and_name(
    letter, font, no_other_fonts, one_line
):
    if ord(letter) in fonts.characters(font):
        assert plain(letter, font) == letter
        return
    with pytest.raises(InputError, match=f"U\\+{ord(letter):04X}") as caught:
        plain(f"A bird {letter}", font)
    assert f"the font {font}" in one_line(caught.value)
    assert "--own-font" in str(caught.value)


MATH = {
    r"$\alpha_1$": True,
    r"order $p = 3$ of $\frac{1}{p!}$": True,
    "costs $5": False,
    r"from \$5 to \$6": False,
    "plain": False,
    "$$": False,
}


@pytest.mark.parametrize(("text", "expected"), MATH.items())
def test_a_formula_is_told_from_dollar_signs(text, expected):
    assert typesetting.is_math(text) == expected
    assert plain(text, "sans", math=True) == text


def test_a_formula_is_measured_as_it_is_drawn_and_stays_whole():
    text = r"of order $\frac{1}{p!}\, \alpha_1$ here"
    assert width_mm(text, "serif", 8, True) < width_mm(text, "serif", 8)
    lines = broken(text, 12.0, "serif", 8, True)
    assert r"$\frac{1}{p!}\, \alpha_1$" in " ".join(lines)
    assert all(line.count("$") in (0, 2) for line in lines)
    assert len(lines) > 1
    assert broken("$x y$ z", 0.1, "sans", 8, True)[0] == "$x y$"


@pytest.mark.parametrize("text", [r"$\nope$", "$x_{1$", "$x^2^3$"])
def test_a_formula_that_cannot_be_read_is_one_line(text, one_line):
    with pytest.raises(InputError, match="no mathtext") as caught:
        plain(text, "sans", math=True)
    one_line(caught.value)
    assert plain(text, "sans") == text


def test_every_font_comes_with_the_program():
    from matplotlib import get_data_path
    from matplotlib.font_manager import findfont

    for font in FONTS:
        for bold in (False, True):
            found = Path(findfont(fonts.properties(font, bold=bold))).resolve()
            assert found.is_relative_to(Path(get_data_path()).resolve())
