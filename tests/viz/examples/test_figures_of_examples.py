"""Figures of the bundled networks: opened again from their own files, and what they refuse."""

import numpy as np
import pytest

import viz
from errors import InputError
from viz.examples.bird import HEAD
from viz.examples.kick import CONTACT, foot_at
from viz.figure.api import Figure, compose, load
from viz.figure.recipe import recipe
from viz.figure.sources import FileSources

SMALL = {"width_mm": 89.0, "dpi": 100}


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
