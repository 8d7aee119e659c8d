"""A drawing as a file: read back by other programs it is what was drawn; twice, the same bytes."""

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from defusedxml import ElementTree
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from pypdf import PdfReader

from tests.paths import ROOT
from viz.figure.files import export
from viz.figure.recipe.recipe_json import LARGEST_BYTES

pytestmark = pytest.mark.slow

TEXT = '{\n "label": "a (b) \\\\ <c> ]]> & \\u03b8"\n}\n'
LETTERS = {
    "DejaVu Sans": "θ φ × → fi",
    "DejaVu Serif": "(a) Küste",
    "STIXGeneral": "res4.4 <b> & $x_1$",
}
WIDTH_MM, HEIGHT_MM = 70.0, 30.0
PIXELS = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
SVG = "{http://www.w3.org/2000/svg}"


def draw():
    drawing = Figure(figsize=(WIDTH_MM / 25.4, HEIGHT_MM / 25.4))
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.imshow(PIXELS, interpolation="none", extent=(2, 30, 28, 2), aspect="auto")
    axes.images[0].set_gid("panel-0")
    axes.axis("off")
    axes.set(xlim=(0, WIDTH_MM), ylim=(HEIGHT_MM, 0))
    for line, (family, letters) in enumerate(LETTERS.items()):
        axes.text(32, 5 + 8 * line, letters, family=family, fontsize=8, parse_math=False)
    axes.text(32, 29, "bold", family="DejaVu Sans", weight="bold", fontsize=8, parse_math=False)
    return drawing


@pytest.fixture
def drawing():
    return draw()


def pdf(drawing, text=TEXT):
    return PdfReader(io.BytesIO(export.write(drawing, "pdf", 100, text)))


def fonts(reader):
    return list(reader.pages[0]["/Resources"]["/Font"].values())


@pytest.mark.parametrize("kind", export.STILL)
def test_the_same_drawing_gives_the_same_bytes_also_after_others_were_written(drawing, kind):
    first = export.write(drawing, kind, 100, TEXT)
    for other in ("png", "pdf", "svg"):
        export.write(drawing, other, 72, None)
    assert export.write(drawing, kind, 100, TEXT) == first
    assert export.write(draw(), kind, 100, TEXT) == first


def test_threads_that_write_at_once_give_the_same_bytes(drawing):
    alone = {kind: export.write(draw(), kind, 100, TEXT) for kind in export.STILL}
    jobs = [(kind, one) for kind in export.STILL for one in (drawing, drawing, draw())]
    with ThreadPoolExecutor(4) as pool:
        written = pool.map(lambda job: export.write(job[1], job[0], 100, TEXT), jobs)
        for (kind, _), content in zip(jobs, written, strict=True):
            assert content == alone[kind], kind


def digests():
    return [
        hashlib.sha256(export.write(draw(), kind, 100, TEXT)).hexdigest() for kind in export.STILL
    ]


def test_another_process_on_another_day_gives_the_same_bytes():
    code = "from tests.viz.figure.files.test_export import digests; print(*digests())"
    surroundings = os.environ | {
        "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2",
        "SOURCE_DATE_EPOCH": "100000000",
        "TZ": "Asia/Tokyo",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=surroundings, capture_output=True, text=True
    )
    assert done.stdout.split() == digests(), done.stderr


@pytest.mark.parametrize("kind", export.STILL)
def test_a_users_matplotlibrc_does_not_change_the_file(drawing, kind):
    plain = export.write(drawing, kind, 100, TEXT)
    own = {
        "savefig.bbox": "tight",
        "savefig.facecolor": "red",
        "savefig.dpi": 33,
        "pdf.fonttype": 3,
        "ps.fonttype": 3,
        "pdf.compression": 0,
        "svg.fonttype": "path",
        "svg.hashsalt": "other",
        "path.simplify": False,
    }
    with matplotlib.rc_context(own):
        before = dict(matplotlib.rcParams)
        assert export.write(drawing, kind, 100, TEXT) == plain
        assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("kind", export.STILL)
def test_a_drawing_that_breaks_half_way_leaves_everything_as_it_was(drawing, kind, monkeypatch):
    def broken(_renderer):
        raise ZeroDivisionError

    before = dict(matplotlib.rcParams), drawing.dpi, drawing.canvas, drawing.get_size_inches()
    whole = export.write(drawing, kind, 100, TEXT)
    with monkeypatch.context() as patch:
        patch.setattr(drawing.axes[0].texts[-1], "draw", broken)
        with pytest.raises(ZeroDivisionError):
            export.write(drawing, kind, 150, TEXT)
    assert dict(matplotlib.rcParams) == before[0]
    assert (drawing.dpi, drawing.canvas) == before[1:3]
    np.testing.assert_array_equal(drawing.get_size_inches(), before[3])
    assert export.write(drawing, kind, 100, TEXT) == whole


def test_the_pages_of_pdf_and_svg_and_png_have_the_drawings_size_in_mm(drawing):
    box = pdf(drawing).pages[0].mediabox
    assert float(box.width) * 25.4 / 72 == pytest.approx(WIDTH_MM, abs=1e-3)
    assert float(box.height) * 25.4 / 72 == pytest.approx(HEIGHT_MM, abs=1e-3)
    root = ElementTree.fromstring(export.write(drawing, "svg", 100, TEXT))
    assert root.get("width").endswith("pt")
    assert float(root.get("width")[:-2]) * 25.4 / 72 == pytest.approx(WIDTH_MM, abs=1e-3)
    with Image.open(io.BytesIO(export.write(drawing, "png", 300, TEXT))) as picture:
        assert picture.width / 300 * 25.4 == pytest.approx(WIDTH_MM, abs=25.4 / 300)
        assert picture.height / 300 * 25.4 == pytest.approx(HEIGHT_MM, abs=25.4 / 300)


def test_every_font_of_the_pdf_is_truetype_and_inside_it(drawing):
    found = fonts(pdf(drawing))
    assert len(found) >= 4
    for font in found:
        assert font["/Subtype"] in ("/TrueType", "/Type0")
        if font["/Subtype"] == "/Type0":
            font = font["/DescendantFonts"][0]
            assert font["/Subtype"] == "/CIDFontType2"
        assert len(font["/FontDescriptor"]["/FontFile2"].get_data()) > 500
    names = " ".join(font["/BaseFont"] for font in found)
    for name in ("DejaVuSans-Bold", "DejaVuSerif", "STIXGeneral"):
        assert name in names


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="pdffonts (poppler) is not installed")
def test_pdffonts_sees_embedded_subsets_of_truetype_with_their_letters(drawing, tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(export.write(drawing, "pdf", 100, TEXT))
    told = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True)
    rows = told.stdout.splitlines()[2:]
    assert len(rows) >= 4
    for row in rows:
        assert "TrueType" in row
        assert row.split()[-5:-2] == ["yes", "yes", "yes"], row  # embedded, subset, to Unicode


def test_the_pdfs_text_is_text(drawing):
    text = pdf(drawing).pages[0].extract_text()
    for letters in (*LETTERS.values(), "bold"):
        assert letters in text


def test_the_pdf_has_the_recipe_as_its_subject_and_no_date(drawing):
    facts = pdf(drawing).metadata
    assert facts["/Subject"] == TEXT
    assert facts["/Creator"] == export.CREATOR
    assert not {"/CreationDate", "/ModDate"} & facts.keys()
    assert b"/CreationDate" not in export.write(drawing, "pdf", 100, TEXT)


def test_pictures_are_in_the_pdf_and_the_svg_with_their_own_pixels(drawing):
    (held,) = pdf(drawing).pages[0].images
    pixels = np.asarray(held.image.convert("RGB"))
    assert (pixels == PIXELS[::-1]).all()  # the page's matrix turns it over
    root = ElementTree.fromstring(export.write(drawing, "svg", 100, TEXT))
    (image,) = root.iter(f"{SVG}image")
    assert image.get("{http://www.w3.org/1999/xlink}href").startswith("data:image/png;base64,")


def test_the_png_says_its_dpi_and_holds_the_recipe_and_no_transparency(drawing):
    with Image.open(io.BytesIO(export.write(drawing, "png", 300, TEXT))) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert picture.text == {"Recipe": TEXT}
        assert picture.mode == "RGB"


def test_the_pngs_pixels_are_those_that_matplotlib_draws(drawing):
    plain = io.BytesIO()
    with matplotlib.rc_context({"text.hinting": "none"}):
        drawing.savefig(plain, format="png", dpi=150)
    with (
        Image.open(plain) as one,
        Image.open(io.BytesIO(export.write(drawing, "png", 150, None))) as two,
    ):
        np.testing.assert_array_equal(np.asarray(one.convert("RGB")), np.asarray(two))


def test_a_drawing_without_background_keeps_its_transparency(drawing):
    drawing.patch.set_alpha(0)
    drawing.axes[0].patch.set_alpha(0)
    with Image.open(io.BytesIO(export.write(drawing, "png", 100, None))) as picture:
        assert picture.mode == "RGBA"
        assert picture.getpixel((picture.width - 1, 0))[3] == 0


@pytest.mark.parametrize("kind", export.STILL)
def test_without_a_recipe_there_is_none_inside(drawing, kind):
    content = export.write(drawing, kind, 100, None)
    for word in (b"/Subject", b"dc:description", b"Recipe"):
        assert word not in content


def test_a_png_with_the_largest_recipe_still_opens(drawing):
    text = "x" * LARGEST_BYTES
    with Image.open(io.BytesIO(export.write(drawing, "png", 50, text))) as picture:
        picture.load()
        assert picture.text["Recipe"] == text


def picture_in(content: bytes) -> np.ndarray:
    """Return the picture of an EPS, read as PostScript says: (H, W, 3) uint8."""
    wide, high = (int(re.search(rb"/%s ([0-9]+)" % n, content)[1]) for n in (b"Width", b"Height"))
    packed = content[content.index(b">> image\n") + 9 :].partition(b"~>")[0]
    unpacked = zlib.decompress(base64.a85decode(packed))
    return np.frombuffer(unpacked, np.uint8).reshape(high, wide, 3)


def test_an_eps_has_words_as_text_over_the_rest_as_a_picture(drawing):
    content = export.write(drawing, "eps", 100, TEXT)
    assert content.startswith(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    box = re.search(rb"%%HiResBoundingBox: 0.0+ 0.0+ ([0-9.]+) ([0-9.]+)", content)
    assert [float(side) for side in box.groups()] == pytest.approx(
        [WIDTH_MM * 72 / 25.4, HEIGHT_MM * 72 / 25.4], abs=0.01
    )
    assert b"CreationDate" not in content
    assert content.count(b"/FontType 42") >= 3
    found = picture_in(content)
    for text in drawing.axes[0].texts:
        text.set_visible(False)
    assert np.array_equal(found, export.pixels(drawing, 100)[..., :3])
    assert all(len(line) < 256 for line in content.partition(b"%%EndComments")[0].splitlines())


def test_the_letters_of_a_font_are_not_all_drawn_for_an_eps(drawing, monkeypatch):
    def drawn(_glyphs):
        raise AssertionError("a second a font")

    monkeypatch.setattr("fontTools.pens.boundsPen.BoundsPen", drawn)
    content = export.write(drawing, "eps", 100, None).decode("latin-1")
    assert "/FontBBox [-2090 -948 3673 2524] def" in content  # of DejaVu Sans


def test_what_shines_through_is_in_the_picture_of_an_eps(drawing):
    axes = drawing.axes[0]
    axes.add_patch(Rectangle((2, 2), 28, 26, facecolor="white", alpha=0.75))
    found = picture_in(export.write(drawing, "eps", 100, None))
    inside = found[20:90, 20:90]
    assert inside.min() > 180
    assert inside.std() > 5


def test_a_tiff_is_the_png_with_its_resolution(drawing):
    with (
        Image.open(io.BytesIO(export.write(drawing, "tiff", 300, TEXT))) as tiff,
        Image.open(io.BytesIO(export.write(drawing, "png", 300, TEXT))) as png,
    ):
        assert np.array_equal(np.asarray(tiff), np.asarray(png))
        assert tiff.info["dpi"] == (300, 300)
        assert tiff.tag_v2[270] == TEXT


@pytest.mark.parametrize(("name", "kind"), [("a.TIF", "tiff"), ("a.pdf", "pdf"), ("a", "")])
def test_an_ending_tells_the_kind(name, kind):
    assert export.kind_of(Path(name)) == kind
