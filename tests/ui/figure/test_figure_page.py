"""The Figure page without a browser: from pins to a recipe, its files, and back."""

import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from tests.ui.pages import app, assert_sound, opened
from ui.figure import (
    preview,
)
from ui.figure import (
    recipe as figure_recipe,
)
from ui.session import pins as session_pins
from viz.attention.choice import MapChoice
from viz.attention.pipeline import load
from viz.examples import bird as bird_example
from viz.figure.panels.presets import TABLE
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Medium, Network, Part, Recipe, Reference, View

pytestmark = pytest.mark.slow

FIGURE = "pages/figure.py"


def bird(**given):
    """The example bird as its recipe holds it, by the two bundled networks."""
    views = tuple(
        View(Network(name, load(name).sha256), "unit14", mode="fit", size=224)
        for name in ("e2-nl", "e2-cgnl")
    )
    medium = Medium("example:bird", bird_example.clip().sha256)
    at = tuple(map(float, bird_example.HEAD))
    return replace(Reference(medium, views, at), **given)


def recipe_of(*references, preset="parts", **given):
    return Recipe(preset, references, versions=recipe.here(), **given)


def page(*references, clip=None):
    """The page with these references in the tray."""
    at = app().switch_page(FIGURE)
    if references:
        clip = clip or bird_example.clip()
        at.session_state["pins"] = tuple(
            session_pins.Pin(f"t{k}", one, clip) for k, one in enumerate(references)
        )
    return assert_sound(at.run())


def drawn(at):
    """The recipe of the preview that is shown."""
    return recipe_json.loads(at.session_state["figure-preview"].text)


def upload(at, content, name="figure.json"):
    place(at, "figure-file").upload(name, content, "application/octet-stream").run()
    return assert_sound(at)


def place(at, key):
    """The uploader whose key begins so."""
    return next(one for one in at.file_uploader if one.key.startswith(key))


def told(at):
    """All lines of text on the page."""
    return "\n".join(one.value for one in (*at.markdown, *at.caption, *at.info, *at.warning))


def test_two_clicks_give_a_figure_and_every_preset_has_its_defaults(forwards):
    at = page()
    assert "Pin for a figure" in at.markdown[1].value
    at.button(key="figure-example").click().run()
    assert_sound(at)
    assert len(forwards) == 2
    assert drawn(at) == recipe_of(bird(), look=TABLE["parts"].look, layout=TABLE["parts"].layout)
    with Image.open(io.BytesIO(at.session_state["figure-preview"].png)) as picture:
        assert picture.width >= 900
    assert "139.7 x" in told(at)
    for preset, row in TABLE.items():
        at.selectbox(key="figure-preset").set_value(preset).run()
        assert_sound(at)
        lacking = {
            "gates": "no gates", "objects": "no objects", "matches": "needs a second picture",
        }.get(preset, "")  # fmt: skip
        if lacking:
            assert lacking in at.error[0].value
            assert "mm; as PNG" not in told(at)  # no other figure stands under the error
            continue
        assert not at.error
        layout = replace(row.layout, **row.fits([bird()]))
        assert (drawn(at).preset, drawn(at).look, drawn(at).layout) == (preset, row.look, layout)
    assert len(forwards) == 2


def test_settings_are_the_recipe_and_survive_presets_and_pages(forwards):
    at = page(bird())
    at.slider(key="figure-threshold").set_value(0.35).run()
    at.selectbox(key="figure-colormap").set_value("viridis").run()
    at.number_input(key="figure-font_pt").set_value(7.5).run()
    at.selectbox(key="figure-venue").set_value("Nature column, 89 mm").run()
    assert "figure-row_labels" not in [one.key for one in at.text_area]  # pins have labels
    at.text_area(key="figure-column_labels").set_value("A column").run()
    assert_sound(at)
    assert drawn(at).look == replace(TABLE["parts"].look, threshold=0.35, colormap="viridis")
    assert drawn(at).layout == replace(
        TABLE["parts"].layout, font_pt=7.5, width_mm=89.0, column_labels=("A column",)
    )
    at.selectbox(key="figure-preset").set_value("heatmaps").run()
    row = TABLE["heatmaps"]
    assert drawn(at).look == row.look
    assert drawn(at).layout == replace(row.layout, font_pt=7.5, width_mm=89.0)
    at.selectbox(key="figure-venue").set_value("Free").run()
    at.number_input(key="figure-width_mm").set_value(120.0).run()
    at.selectbox(key="figure-preset").set_value("parts").run()
    assert drawn(at).layout.width_mm == 120.0
    assert drawn(at).layout.column_labels == ("A column",)
    before = drawn(at)
    at.switch_page("pages/models.py").run()
    at.switch_page(FIGURE).run()
    assert_sound(at)
    assert drawn(at) == before
    assert at.number_input(key="figure-width_mm").value == 120.0
    at.button(key="figure-reset").click().run()
    assert drawn(at).layout == TABLE["parts"].layout
    # The Models page runs networks of its own.
    assert [tuple(shape) for shape in forwards].count((1, 3, 1, 160, 224)) == 2


def test_only_what_the_preset_has_a_use_for_is_shown():
    at = page(bird())
    known = {one.key for one in (*at.slider, *at.selectbox, *at.number_input, *at.toggle)}
    assert "figure-threshold" in known
    assert not {"figure-log_scale", "figure-legend", "figure-most_frames"} & known
    at.selectbox(key="figure-preset").set_value("matrix").run()
    known = {one.key for one in (*at.slider, *at.selectbox, *at.number_input, *at.toggle)}
    assert "figure-log_scale" in known
    assert not {"figure-threshold", "figure-crop", "figure-cgnl"} & known


def test_a_clip_is_pinned_with_explore_and_becomes_frames_and_a_movie(forwards):
    at = opened(example="kick", net="e2-nl", beside="none", size="224")
    at.button(key="pin").click().run()
    before = len(forwards)
    at.switch_page(FIGURE).run()
    assert_sound(at)
    assert len(forwards) == before
    assert drawn(at).preset == "frames"
    at.number_input(key="figure-most_frames").set_value(4).run()
    at.button(key="figure-movie-make").click().run()
    assert_sound(at)
    assert not at.error
    assert any("Save the MP4" in button.label for button in at.get("download_button"))
    text = recipe_json.dumps(drawn(at)).encode()
    fresh = page()
    upload(fresh, text)
    assert drawn(fresh) == recipe_json.loads(text)
    assert len(fresh.session_state["pins"][0].clip.frames) == 8


def test_the_chosen_pin_is_labelled_cropped_and_given_parts():
    at = page(bird(), bird(at=(300.0, 200.0)))
    at.text_input(key="figure-t0-label").set_value("**Row** $1$").run()
    at.text_input(key="figure-name-0").set_value("ours").run()
    at.text_input(key="figure-t0-maps-1").set_value("3,17").run()
    at.selectbox(key="figure-t0-shown-1").set_value("group 2").run()
    at.number_input(key="figure-t0-count-1").set_value(2).run()
    at.toggle(key="figure-t0-has-crop").set_value(True).run()
    at.number_input(key="figure-t0-crop-0").set_value(50.0).run()
    assert_sound(at)
    reference = drawn(at).references[0]
    assert reference.label == "**Row** $1$"
    assert [one.views[0].label for one in drawn(at).references] == ["ours", "ours"]
    assert (reference.views[1].maps, reference.views[1].count) == ("3,17", 2)
    assert reference.views[1].shown == MapChoice("group", 2)
    assert reference.crop == (50.0, 0.0, 640.0, 480.0)
    heading = next(one.value for one in at.markdown if one.value.startswith("##### Pin 1"))
    assert "**Row**" not in heading


def test_a_network_has_one_name_for_all_pins_that_show_it():
    other = replace(bird().views[0], kind="features")
    at = page(bird(), bird(at=(300.0, 200.0), views=(*bird().views, other)))
    asked = [one for one in at.text_input if one.key.startswith("figure-name-")]
    assert [one.label for one in asked] == [
        "Name of e2-nl, unit14", "Name of e2-cgnl, unit14", "Name of e2-nl, unit14, Cosine",
    ]  # fmt: skip
    at.text_input(key="figure-name-0").set_value("ours").run()
    at.text_input(key="figure-name-2").set_value("cosine").run()
    found = [[view.label for view in one.views] for one in drawn(assert_sound(at)).references]
    assert found == [["ours", ""], ["ours", "", "cosine"]]
    at.button(key="undo-pins").click().run()
    assert drawn(at).references[1].views[2].label == ""


def test_names_that_differ_by_pin_stay_until_one_is_given():
    first, second = bird().views
    named = bird(views=(replace(first, label="theirs"), second))
    at = page(named, bird(at=(300.0, 200.0)))
    field = at.text_input(key="figure-name-0")
    assert (field.value, field.placeholder) == ("", "differs by pin: theirs, none")
    assert [one.views[0].label for one in drawn(at).references] == ["theirs", ""]
    field.set_value("ours").run()
    assert [one.views[0].label for one in drawn(at).references] == ["ours", "ours"]


def test_what_a_pin_cannot_be_given_is_one_line_and_changes_nothing():
    at = page(bird(crop=(50.0, 0.0, 640.0, 480.0)))
    reference = drawn(at).references[0]
    at.text_input(key="figure-t0-maps-1").set_value("all of them").run()
    assert "all of them" in at.error[0].value
    assert drawn(at).references[0] == reference
    at.number_input(key="figure-t0-crop-2").set_value(50.0).run()
    assert "crop" in at.error[0].value
    assert drawn(at).references[0] == reference


def test_parts_are_given_by_a_file_and_cleared():
    at = page(bird(), bird(at=(300.0, 200.0)))
    truth = json.dumps([{"name": "beak", "x": 420, "y": 130}]).encode()
    give = place(at, "figure-truth")
    give.upload("points.json", truth, "application/json").run()
    assert_sound(at)
    assert drawn(at).references[0].parts == (Part("beak", 420.0, 130.0),)
    assert drawn(at).references[1].parts == ()
    assert "1 of 2 pins" in told(at)
    at.button(key="figure-clear-parts").click().run()
    assert drawn(at).references[0].parts == ()


def test_a_preview_is_as_large_as_a_screen_whatever_the_width():
    assert preview._dpi(5.5, 3) == 181
    assert preview._dpi(0.8, 0.5) > 1000
    assert preview._dpi(2, 70) < 200
    assert figure_recipe.shown((), "parts") == ()
