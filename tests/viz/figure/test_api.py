"""Whole figures: the same bytes for the same recipe, read back from its own files, saved whole."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from errors import InputError, MachineError
from tests.viz.drawn_figures import footage, gate_layers, photo, pinned, recipe_of
from viz.figure.api import KINDS, Figure
from viz.figure.files import embedded_recipe
from viz.figure.page import layout as page_layout
from viz.figure.panels.panel_rows import PanelRows
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Part
from viz.rendering.look import Look

pytestmark = pytest.mark.slow

PARTS = (Part("beak", 13.0, 17.5), Part("tail", 50.0, 40.0))
SMALL = {"width_mm": 89.0, "dpi": 100}


def drawn(preset="parts") -> Figure:
    """Return a figure of drawn sources, as many of them as the preset shows."""
    how = SMALL | {"captions": "(a)", "regions": "NL"}
    if preset in ("parts", "matrix", "view"):
        return Figure(recipe_of(preset, pinned(parts=PARTS), **how), photo())
    if preset == "gates":
        sources = photo(cgd=gate_layers())
        return Figure(recipe_of(preset, pinned(networks=("cgd",)), **how), sources)
    look = Look(threshold=0.4, arrows=20 if preset == "arrows" else 0)
    return Figure(recipe_of(preset, pinned("clip", frames=7), look=look, **how), footage())


@pytest.mark.parametrize(
    ("preset", "kind"),
    [("parts", "pdf"), ("parts", "svg"), ("parts", "png"), ("frames", "svg"), ("heatmaps", "pdf"),
     ("arrows", "svg"), ("groups", "png"), ("gates", "pdf"), ("matrix", "svg"), ("view", "png"),
     ("view", "pdf")],
)  # fmt: skip
def test_the_same_recipe_gives_the_same_bytes(preset, kind):
    assert drawn(preset).content(kind) == drawn(preset).content(kind)


@pytest.fixture
def planned(monkeypatch) -> list[PanelRows]:
    """Every panel_rows that is laid out."""
    calls, real = [], page_layout.plan
    monkeypatch.setattr(
        page_layout, "plan", lambda panel_rows: calls.append(panel_rows) or real(panel_rows)
    )
    return calls


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png"])
@pytest.mark.parametrize("preset", ["parts", "view", "frames", "gates", "matrix"])
def test_a_page_is_laid_out_once_for_a_save(preset, suffix, planned, tmp_path):
    drawn(preset).save(tmp_path / f"figure.{suffix}")
    assert len(planned) == 1


def test_a_page_is_laid_out_once_for_all_its_files_and_previews(planned, tmp_path):
    made = drawn("view")
    for suffix in ("pdf", "svg", "png"):
        made.save(tmp_path / f"figure.{suffix}")
    assert made.preview()
    assert made.preview(200)
    assert made._repr_png_()
    assert made.plan().places
    assert made.panel_rows() is planned[0]
    assert len(planned) == 1


def test_the_recipe_alone_is_written_without_laying_anything_out(planned, tmp_path):
    made = drawn()
    made.save(tmp_path / "figure.json")
    assert planned == []
    assert made.sources.runs == []


def test_of_a_movie_every_frame_is_laid_out_once_and_the_first_for_its_size(planned):
    drawn("frames").content("mp4")
    # And the first for the size in pixels, again for letters that can be read at it, and as what
    # the others are compared with; the last for what stays.
    assert 7 <= len(planned) <= 7 + 6


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_its_recipe_is_inside(kind):
    made = drawn()
    assert embedded_recipe.read(made.content(kind), f"figure.{kind}") == made.recipe


@pytest.mark.parametrize("greyscale", [False, True])
@pytest.mark.parametrize("interpolation", ["smooth", "nearest"])
def test_a_recipe_read_again_draws_the_same_bytes(greyscale, interpolation):
    made = drawn("frames")
    asked = replace(
        made.recipe,
        look=replace(made.recipe.look, interpolation=interpolation),
        layout=replace(made.recipe.layout, greyscale=greyscale),
    )
    again = recipe_json.loads(recipe_json.dumps(asked))
    assert Figure(again, footage()).content("png") == Figure(asked, footage()).content("png")


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as opened:
        return np.asarray(opened.convert("RGB"))


def test_a_png_has_the_size_and_resolution_of_the_page():
    made = drawn()
    plan = made.plan()
    with Image.open(io.BytesIO(made.content("png"))) as opened:
        assert opened.info["dpi"] == pytest.approx((100, 100), abs=0.1)
        assert opened.width == pytest.approx(plan.width / 25.4 * 100, abs=1)
        assert opened.height == round(plan.height / 25.4 * 100)
    assert plan.width == 89.0


@pytest.mark.parametrize("dpi", [60, 100, 200])
def test_a_preview_is_the_same_drawing_at_another_resolution(dpi):
    made = drawn()
    preview, whole = (pixels(one) for one in (made.preview(dpi), made.content("png")))
    assert preview.shape[1] == pytest.approx(whole.shape[1] * dpi / 100, abs=2)
    assert preview.shape[0] == pytest.approx(whole.shape[0] * dpi / 100, abs=2)
    if dpi == 100:
        np.testing.assert_array_equal(preview, whole)
        return
    size = whole.shape[1] // 3, whole.shape[0] // 3
    small, other = (
        np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BOX), float)
        for one in (preview, whole)
    )
    # Pages are whole pixels high, so that edges may lie half of one away: even surfaces agree.
    even = np.ones(other.shape[:2], bool)
    for axis in (0, 1):
        for step in (-2, -1, 1, 2):
            even &= np.abs(np.roll(other, step, axis) - other).max(-1) < 9
    assert even.mean() > 0.15
    assert np.abs(small - other)[even].max() < 30
    with pytest.raises(InputError, match="holds no recipe"):
        embedded_recipe.read(made.preview(dpi), "preview.png")


def test_a_notebook_shows_the_preview():
    made = drawn()
    shown = made._repr_png_()
    assert shown.startswith(b"\x89PNG\r\n\x1a\n")
    assert shown == made.preview(150)


@pytest.mark.parametrize("suffix", ["pdf", "SVG", "png", "json", "webp"])
def test_a_figure_is_saved_by_its_suffix(suffix, tmp_path):
    made = drawn("frames")
    path = made.save(tmp_path / f"figure.{suffix}")
    assert [one.name for one in tmp_path.iterdir()] == [f"figure.{suffix}"]
    if suffix == "json":
        assert recipe_json.loads(path.read_bytes()) == made.recipe
        assert json.loads(path.read_text())["format"] == "nonlocal-viz-figure/2"
    else:
        assert path.read_bytes() == made.content(suffix.lower())


@pytest.mark.parametrize("name", ["figure.psd", "figure", "figure.pdf.exe", ".pdf", "figure.jsn"])
def test_an_unknown_suffix_is_refused_and_nothing_written(name, tmp_path, one_line):
    with pytest.raises(InputError, match=r"figures are saved as \.pdf, \.svg, \.png") as caught:
        drawn().save(tmp_path / name)
    one_line(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_drawn_leaves_the_old_file(tmp_path, one_line):
    path = tmp_path / "figure.pdf"
    path.write_bytes(b"what was there")
    broken = Figure(recipe_of("parts", pinned(label="A bird \ue123"), **SMALL), photo())
    with pytest.raises(InputError, match=r"U\+E123") as caught:
        broken.save(path)
    one_line(caught.value)
    assert path.read_bytes() == b"what was there"
    assert [one.name for one in tmp_path.iterdir()] == ["figure.pdf"]
    with pytest.raises(MachineError) as caught:
        drawn().save(tmp_path / "missing" / "figure.png")
    one_line(caught.value)


def test_an_unknown_kind_is_refused(one_line):
    for kind in ("psd", "mkv\n<b>", "", "PNG", "png" * 99):
        with pytest.raises(InputError, match="is not a kind of figure; use .pdf, .svg") as caught:
            drawn().content(kind)
        one_line(caught.value)
    with pytest.raises(
        InputError, match="A figure of the preset parts with 0 clips is no movie"
    ) as caught:
        drawn().content("gif")
    one_line(caught.value)


def test_the_kinds_are_still_and_moving():
    assert list(KINDS) == ["pdf", "svg", "png", "eps", "tiff", "mp4", "gif", "webp"]
    assert all(mime.partition("/")[0] in ("image", "video", "application")
               for _, mime in KINDS.values())  # fmt: skip
