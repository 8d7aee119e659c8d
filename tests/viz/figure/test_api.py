"""Whole figures: the same bytes for the same recipe, read back from its own files, saved whole."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import viz
from errors import InputError, MachineError
from tests.viz.drawn_figures import footage, gate_layers, photo, pinned, recipe_of
from viz.examples.bird import HEAD
from viz.examples.kick import CONTACT, foot_at
from viz.figure.api import KINDS, Figure, compose, load
from viz.figure.files import embedded_recipe
from viz.figure.page import layout as page_layout
from viz.figure.panels.panel_rows import PanelRows
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Part
from viz.figure.sources import FileSources
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


@pytest.fixture(scope="module")
def bundled() -> FileSources:
    """Return sources that run each bundled network once."""
    return FileSources()


@pytest.fixture(scope="module")
def bird(bundled) -> Figure:
    return viz.figure.parts(
        "example:bird", ["e2-nl", "e2-cgnl"], HEAD, sources=bundled, count=2, size=160, **SMALL
    )


def test_parts_of_the_example_are_what_the_recipe_says(bird):
    (reference,) = bird.recipe.references
    assert reference.medium.path == "example:bird"
    assert len(reference.medium.sha256) == 64
    assert [view.network.id for view in reference.views] == ["e2-nl", "e2-cgnl"]
    assert all(len(view.network.sha256) == 64 for view in reference.views)
    assert bird.recipe.versions == recipe.here()
    (row,) = bird.panel_rows().rows
    assert [panel.head for panel in row.panels] == ["input", "NL", "CGNL", "CGNL"]
    model = bird.sources.network("e2-nl")
    capture = viz.capture(model, bird.sources.clip(reference.medium), size=160)
    expected = viz.row(capture, at=HEAD).values
    scaled = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(row.panels[1].content.shade.heat.values, scaled, atol=1e-5)


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png", "json"])
def test_a_figure_opened_from_its_own_file_gives_its_bytes_again(bird, suffix, tmp_path):
    path = bird.save(tmp_path / f"figure.{suffix}")
    opened = load(path, bird.sources)
    assert opened.recipe == bird.recipe
    kind = "png" if suffix == "json" else suffix
    assert opened.content(kind) == bird.content(kind)


def test_frames_of_the_example_clip_open_again_from_the_recipe_alone(bundled, tmp_path):
    made = viz.figure.frames(
        "example:kick", "e2-clip-nl", foot_at(CONTACT), sources=bundled, size=64, threshold=0.5,
        most_frames=4, **SMALL,
    )  # fmt: skip
    (row,) = made.panel_rows().rows
    assert len(row.panels) == 4
    assert len(made.recipe.references[0].medium.frames) == 8
    path = made.save(tmp_path / "kick.png")
    assert load(path).content("png") == path.read_bytes()


def test_an_option_that_there_is_not_is_refused_with_one_that_is_near(bundled, one_line):
    for name, near in (("treshold", "threshold"), ("widht_mm", "width_mm"), ("fram", "frame")):
        with pytest.raises(InputError, match=f"{name}.*{near}") as caught:
            viz.figure.parts("example:bird", "e2-nl", HEAD, sources=bundled, **{name: 1})
        one_line(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"dpi": "300"}, {"dpi": 10}, {"width_mm": float("nan")}, {"threshold": 2}, {"font": "Arial"},
     {"colormap": "rainbow"}, {"count": 0}, {"shown": "all"}, {"size": 3}, {"mode": "stretch"},
     {"labels": 1}, {"row_labels": "abc"}, {"columns": -1}, {"frame": 9}, {"dpi": np.int64(7)},
     {"width_mm": np.float32(5)}, {"label": "x" * 201}, {"truth": "nowhere.csv"}, {"count": 2.5}],
)  # fmt: skip
def test_a_value_that_an_option_cannot_have_is_refused(bundled, options, one_line):
    with pytest.raises(InputError) as caught:
        viz.figure.parts("example:bird", "e2-nl", HEAD, sources=bundled, **options)
    one_line(caught.value)


def test_wrong_inputs_are_refused_in_one_line(bundled, one_line, tmp_path):
    for inputs, models, at in (
        ([], "e2-nl", HEAD),
        ("example:bird", [], HEAD),
        ("example:fish", "e2-nl", HEAD),
        ("example:bird", "e2-no", HEAD),
        ("example:bird", "e2-nl", [(1, 2), (3, 4)]),
        ("example:bird", "e2-nl", "here"),
        ("example:bird", "e2-nl", (float("nan"), 1)),
    ):
        with pytest.raises(InputError) as caught:
            viz.figure.parts(inputs, models, at, sources=bundled)
        one_line(caught.value)
    with pytest.raises(InputError, match="'pie' is not a preset; ") as caught:
        compose("pie", "example:bird", "e2-nl", HEAD, sources=bundled)
    one_line(caught.value)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "nothing.json")
    one_line(caught.value)
    (tmp_path / "text.json").write_text("no recipe")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "text.json")
    one_line(caught.value)


def test_a_reference_outside_of_the_picture_is_refused_when_it_is_drawn(bundled, one_line):
    made = viz.figure.parts("example:bird", "e2-nl", (9000, 1), sources=bundled, size=160)
    with pytest.raises(InputError, match=r"\(9000, 1\) is outside: the network sees") as caught:
        made.content("png")
    one_line(caught.value)
