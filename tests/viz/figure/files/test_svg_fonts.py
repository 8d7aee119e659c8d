"""Fonts inside an SVG: the names that its text asks for, the letters that occur, nothing else."""

import base64
import io
import re

import pytest
from defusedxml import ElementTree
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from viz.figure.files import export, svg_fonts
from viz.figure.files.svg_fonts import Face

TEXT = "{http://www.w3.org/2000/svg}text"
RULE = re.compile(
    r"@font-face \{font-family: '([^']+)'; font-weight: (\d+); font-style: (\w+); "
    r"src: url\(data:font/woff;base64,([A-Za-z0-9+/=]+)\)"
)


def svg(*texts):
    drawing = Figure(figsize=(3, 2))
    for line, (letters, how) in enumerate(texts):
        drawing.text(0.1, 0.1 + 0.15 * line, letters, parse_math=False, **how)
    return export.write(drawing, "svg", 72, None).decode()


def held(content):
    """Return face -> the font that the SVG holds for it."""
    found = {}
    for family, weight, style, packed in RULE.findall(content):
        with TTFont(io.BytesIO(base64.b64decode(packed))) as font:
            font.ensureDecompiled()
            found[Face(family, int(weight), style)] = font
    return found


def letters_of(font):
    return {chr(code) for code in font.getBestCmap()}


def test_each_font_is_inside_once_with_the_letters_that_it_draws_and_no_others():
    sans, serif = {"family": "DejaVu Sans"}, {"family": "DejaVu Serif"}
    fonts = held(
        svg(
            ("bird θ→", sans),
            ("big", sans),
            ("bold", sans | {"weight": "bold"}),
            ("slanted", sans | {"style": "oblique"}),
            ("serif ×", serif),
            ("times φ", {"family": "STIXGeneral"}),
        )
    )
    assert {face: letters_of(font) for face, font in fonts.items()} == {
        Face("DejaVu Sans"): set("bird θ→big"),
        Face("DejaVu Sans", 700): set("bold"),
        Face("DejaVu Sans", 400, "oblique"): set("slanted"),
        Face("DejaVu Serif"): set("serif ×"),
        Face("STIXGeneral"): set("times φ"),
    }


def test_bold_letters_come_from_the_bold_font():
    sans = {"family": "DejaVu Sans"}
    fonts = held(svg(("m", sans), ("m", sans | {"weight": "bold"})))
    widths = [
        fonts[face]["hmtx"]["m"][0] for face in (Face("DejaVu Sans"), Face("DejaVu Sans", 700))
    ]
    assert widths[1] > widths[0]


def test_the_fonts_carry_their_own_date_and_not_todays():
    (font,) = held(svg(("a", {"family": "DejaVu Sans"}))).values()
    with TTFont(svg_fonts._file(Face("DejaVu Sans"))[0]) as shipped:
        assert font["head"].modified == shipped["head"].modified


@pytest.mark.parametrize(
    ("family", "behind"),
    [
        ("DejaVu Sans", "Verdana, sans-serif"),
        ("DejaVu Serif", "serif"),
        ("STIXGeneral", "'Times New Roman', Times, serif"),
    ],
)
def test_text_names_a_similar_font_behind_its_own(family, behind):
    (text,) = ElementTree.fromstring(svg(("a", {"family": family}))).iter(TEXT)
    assert f"font-family: '{family}', {behind};" in text.get("style")


def test_a_letter_is_drawn_by_the_first_family_that_has_it():
    fonts = held(svg(("a𝜃", {"family": ["DejaVu Sans", "STIXGeneral"]})))
    assert letters_of(fonts[Face("DejaVu Sans")]) == {"a"}
    assert letters_of(fonts[Face("STIXGeneral")]) == {"𝜃"}


@pytest.mark.parametrize(
    "label",
    [
        "</style></svg>",
        "]]> <![CDATA[",
        "</metadata>\n",
        "&amp; &#60; \" ' `",
        "font-family: 'DejaVu Sans'; font-family: 'DejaVu Sans'\"",
        "<text style=\"font-family: 'DejaVu Sans';\">",
        "<script>alert(1)</script>",
        "$\\frac{1}{2}$ \\input{x}",
        "<!-- -- -->",
        "@font-face {}",
    ],
)
def test_labels_are_letters_whatever_they_say(label):
    found = list(ElementTree.fromstring(svg((label, {"family": "DejaVu Sans"}))).iter(TEXT))
    assert "".join(text.text or "" for text in found) == label.replace("\n", "")
    assert all(len(text) == 0 for text in found)


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font:UserWarning")
def test_what_xml_or_the_font_cannot_hold_does_no_harm():
    content = svg(("a\x00\x07b", {"family": "DejaVu Sans"}), ("鳥", {"family": "DejaVu Sans"}))
    letters = [text.text for text in ElementTree.fromstring(content).iter(TEXT)]
    assert letters == ["a\ufffd\ufffdb", "鳥"]


def test_a_family_that_is_not_installed_is_left_to_the_reader():
    content = (
        "<svg><metadata>\n</metadata>\n<text style=\"font-family: 'No Such Font'\">a</text></svg>"
    )
    assert svg_fonts.embedded(content) == content


def test_a_drawing_without_letters_holds_no_font():
    assert "@font-face" not in svg()
