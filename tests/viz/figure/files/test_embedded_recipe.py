"""The recipe that a figure carries: found in each kind, refused in one line in everything else."""

import io
import json
import logging
import random
import struct
import zlib
from contextlib import suppress
from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader, PdfWriter

from errors import InputError
from viz.figure.files import embedded_recipe, export, recipe_text
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View

pytestmark = pytest.mark.slow

RECIPE = Recipe(
    "parts",
    (
        Reference(
            Medium("bird.png", "ab"),
            (View(Network("e2-nl", "cd")),),
            at=(1.0, 2.0),
            label="θ </dc:description> ]]> & (a) \\ \x00",
        ),
    ),
)
TEXT = recipe_json.dumps(RECIPE)
ACCEPTED = "give a recipe.json, or a PDF, SVG, EPS, PNG or TIFF figure that this program wrote"
LARGE = recipe_json.LARGEST_BYTES


def figure(kind, text=TEXT):
    drawing = Figure(figsize=(1, 0.5))
    drawing.text(0.1, 0.4, "bird", parse_math=False)
    return export.write(drawing, kind, 72, text)


@pytest.fixture(scope="module")
def files():
    return {kind: figure(kind) for kind in export.STILL} | {"json": TEXT.encode()}


def png(*texts, after=()):
    """Return a PNG of one pixel with these chunks before, or after, its pixels."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    chunks = [header, *(chunk(*t) for t in texts), pixels, *(chunk(*t) for t in after)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def svg(inside, head=""):
    return (
        f'<?xml version="1.0"?>{head}<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{inside}</svg>'
    ).encode()


def refused(content, name="figure"):
    with pytest.raises(InputError) as caught:
        embedded_recipe.read(content, name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["pdf", "svg", "png", "json"])
def test_the_recipe_comes_back_whatever_the_file_is_called(files, kind):
    assert embedded_recipe.read(files[kind], "figure.txt") == RECIPE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_recipe_that_an_editor_saved_in_another_encoding_is_read(encoding):
    assert embedded_recipe.read(f"\r\n \t{TEXT}".encode(encoding), "recipe.json") == RECIPE


def test_the_largest_recipe_comes_back_from_every_kind():
    text = TEXT + " " * (LARGE - len(TEXT))
    for kind in export.STILL:
        assert embedded_recipe.read(figure(kind, text), "figure") == RECIPE, kind


def test_a_pdf_that_another_program_rewrote_still_has_it(files):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(files["pdf"])))
    writer.compress_identical_objects()
    rewritten = io.BytesIO()
    writer.write(rewritten)
    assert rewritten.getvalue() != files["pdf"]
    assert embedded_recipe.read(rewritten.getvalue(), "figure.pdf") == RECIPE


def test_a_png_whose_text_another_program_packed_or_put_behind_the_pixels_still_has_it():
    body = TEXT.encode()
    packed = zlib.compress(body)
    for kind, held in (
        (b"tEXt", b"Recipe\0" + body),
        (b"zTXt", b"Recipe\0\0" + packed),
        (b"iTXt", b"Recipe\0\0\0en\0\0" + body),
        (b"iTXt", b"Recipe\0\1\0\0Rezept\0" + packed),
    ):
        assert embedded_recipe.read(png((kind, held)), "figure.png") == RECIPE
        assert embedded_recipe.read(png(after=[(kind, held)]), "figure.png") == RECIPE


def test_a_png_that_pillow_saved_anew_has_it_only_if_pillow_was_asked(files):
    with Image.open(io.BytesIO(files["png"])) as picture:
        kept, lost = PngInfo(), io.BytesIO()
        kept.add_itxt("Recipe", picture.text["Recipe"], zip=True)
        with_text = io.BytesIO()
        picture.save(with_text, "PNG", pnginfo=kept)
        picture.save(lost, "PNG")
    assert embedded_recipe.read(with_text.getvalue(), "figure.png") == RECIPE
    assert refused(lost.getvalue(), "lost.png") == f"lost.png holds no recipe; {ACCEPTED}."


def test_an_svg_whose_tree_another_program_changed_still_has_it():
    told = TEXT.replace("&", "&#38;").replace("<", "&lt;").replace(">", "&gt;")
    inside = (
        "<title>{x}</title><g><metadata><dc:description>a figure</dc:description>"
        f"<dc:description>\n  <![CDATA[{told[:9]}]]>{told[9:]}</dc:description></metadata></g>"
    )
    assert embedded_recipe.read(svg(inside), "figure.svg") == RECIPE
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://example.invalid/svg11.dtd">'
    assert embedded_recipe.read(svg(inside, doctype), "figure.svg") == RECIPE


def test_what_holds_no_recipe_is_told_what_is_accepted(files):
    gif = io.BytesIO()
    Image.new("L", (1, 1)).save(gif, "GIF")
    for content in (
        b"",
        b"\xef\xbb\xbf \n",
        b"[1, 2]",
        b"\xff\xd8\xff\xe0 a photo",
        b"<!DOCTYPE html><p>{}",
        gif.getvalue(),
        *(figure(kind, None) for kind in export.STILL),
        figure("pdf", "A subject"),
        figure("svg", "A description"),
        figure("png", "[]"),
        png((b"tEXt", b"Comment\0" + TEXT.encode())),
        svg(f"<desc>{{}}</desc><description>{TEXT.split('label')[0]}</description>"),
    ):
        assert refused(content) == f"figure holds no recipe; {ACCEPTED}."


@pytest.mark.parametrize("kind", ["pdf", "svg", "png", "json"])
def test_a_recipe_of_another_program_or_a_newer_version_is_told_as_such(kind):
    def held(**changes):
        text = json.dumps(json.loads(TEXT) | changes)
        return text.encode() if kind == "json" else figure(kind, text)

    assert "version 3" in refused(held(format="nonlocal-viz-figure/3"))
    assert "is of format 'x'" in refused(held(format="x"))
    assert "unknown is not known" in refused(held(unknown=1))


def test_a_text_that_unpacks_to_gigabytes_is_stopped_at_the_largest_recipe():
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"{" + b" " * 2**20) for _ in range(256)) + packer.flush()
    for kind, head in ((b"zTXt", b"Recipe\0\0"), (b"iTXt", b"Recipe\0\1\0\0\0")):
        assert f"has {LARGE + 1} bytes" in refused(png((kind, head + bomb)))
        # Under another name it is none of ours, and is not unpacked.
        body = png((kind, head.replace(b"Recipe", b"Other") + bomb), (b"tEXt", b"Recipe\0{}"))
        assert "names no format" in refused(body)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://example.invalid/">%a;]>',
    ],
)
def test_entities_in_an_svg_are_refused(head):
    told = refused(svg("<dc:description>{&a;&b;}</dc:description>", head))
    assert "entities" in told
    assert "root:" not in told


def test_a_deep_or_endless_svg_is_refused():
    assert "inside one another" in refused(svg("<a>" * 100_000))
    long = f"<dc:description>{{{'&amp;' * (LARGE + 10)}</dc:description>"
    assert "recipes have at most" in refused(svg(long))


def test_what_takes_too_long_is_given_up(files, monkeypatch):
    monkeypatch.setattr(recipe_text, "LONGEST_SECONDS", -1.0)
    assert "takes too long" in refused(files["pdf"])
    assert "takes too long" in refused(svg("<a/>" * 20_000))


def test_a_file_over_the_limit_is_not_looked_into(monkeypatch, files):
    monkeypatch.setattr(recipe_text, "LARGEST_BYTES", len(files["pdf"]) - 1)
    assert "at most" in refused(files["pdf"])


def test_a_locked_pdf_is_refused_and_a_recipe_nested_too_deeply(files):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(files["pdf"])))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    assert "damaged PDF" in refused(locked.getvalue())
    for kind in export.STILL:
        assert "nested too deeply" in refused(figure(kind, '{"a":' + "[" * 100_000))


def test_pypdf_is_kept_quiet_and_its_logger_given_back(files, caplog):
    logger = logging.getLogger("pypdf")
    logger.setLevel(logging.INFO)
    try:
        damaged = files["pdf"].replace(b"startxref\n", b"startxref\n1")
        assert embedded_recipe.read(damaged, "figure.pdf") == RECIPE
        refused(b"%PDF-1.4\n%%EOF")
        assert logger.level == logging.INFO
        assert caplog.records == []
    finally:
        logger.setLevel(logging.NOTSET)


def mutated(content, rng):
    """Return the content cut, or with bytes changed, doubled or taken out."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20))):
        place = rng.randrange(len(out) or 1)
        end = min(len(out), place + rng.choice((1, 4, 50, 500)))
        match rng.randrange(5):
            case 0:
                del out[place:]
            case 1:
                del out[place:end]
            case 2:
                out[place:end] = rng.randbytes(end - place)
            case 3:
                out[place:place] = out[place:end]
            case 4:
                out[place:end] = rng.choice((b"<<", b"(", b"\0", b"[" * 99, b"1 0 R", b"999999999"))
    return bytes(out)


@pytest.mark.parametrize(
    "info",
    [
        b"/Info 5 0 R",
        b"/Info 4 0 R",
        b"/Info [1 2]",
        b"/Info (text)",
        b"/Info << /Subject 5 0 R >>",
        b"/Info << /Subject [({})] >>",
        b"/Info << /Subject " + b"<<" * 5000,
        b"/Info << /Subject " + b"[" * 5000,
        b"/Info << /Subject (" + b"(" * 5000,
        b"/Prev 1 /Info 9 0 R",
        b"/XRefStm 1 /Info 9 0 R",
    ],
)
def test_a_pdf_that_leads_round_in_a_ring_is_refused(info):
    body = b"%PDF-1.4\n4 0 obj\n5 0 R\nendobj\n5 0 obj\n4 0 R\nendobj\n1 0 obj\n<< >>\nendobj\n"
    place = len(body)
    body += b"xref\n0 1\n0000000000 65535 f \n4 2\n0000000009 00000 n \n0000000030 00000 n \n"
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R " + info.replace(b"/Prev 1", b"/Prev %d" % place)
    refused(body + trailer + b" >>\nstartxref\n%d\n%%%%EOF\n" % place)


@pytest.mark.parametrize("kind", ["pdf", "svg", "png", "json"])
def test_damaged_files_give_a_recipe_or_one_line(files, kind):
    rng = random.Random(kind)
    for _ in range(100):
        damaged = mutated(files[kind], rng)
        with suppress(InputError):
            assert isinstance(embedded_recipe.read(damaged, "figure"), Recipe)


def test_a_recipe_read_from_a_figure_can_be_put_into_another(files):
    again = replace(embedded_recipe.read(files["svg"], "a"), preset="heatmaps")
    assert embedded_recipe.read(figure("pdf", recipe_json.dumps(again)), "b") == again


DAMAGED = {
    "a TIFF that is cut": lambda: figure("tiff")[:30],
    "a TIFF of zeros": lambda: b"II*\0" + bytes(99),
    "an EPS of other letters": lambda: figure("eps").replace(
        b"VizRecipe: e", b"VizRecipe: \xff", 1
    ),
    "an EPS that is cut": lambda: figure("eps")[: figure("eps").index(b"VizRecipe: ") + 14],
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_tiff_and_eps_are_one_line(content):
    said = refused(content(), "figure")
    assert "damaged" in said or "no recipe" in said
