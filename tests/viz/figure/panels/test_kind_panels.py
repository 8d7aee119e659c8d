"""Figures of cosines and class maps: what stands over and under them, and which marks they lack."""

from dataclasses import replace

import numpy as np
import pytest

from errors import InputError, OutsideError
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.conftest import draw, make_tiny
from tests.viz.drawn_figures import Table, footage, photo, pinned, recipe_of
from tests.viz.drawn_figures import view as seen_by
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.figure.page import layout as page_layout
from viz.figure.panels import presets
from viz.figure.panels.pictures import NO_ARROWS
from viz.figure.recipe.recipe import Reference
from viz.rendering.look import Look
from viz.types import Clip

FRAMES = 5
CLASSES = ("wren", "blue tit", "$\\alpha$ <b>", "crow", "rook", "jay", "鳥\n🐦")
KINDS = {"nl": NonLocalSpec(), "cgnl": CGNLSpec(groups=8)}


def named(block) -> LoadedModel:
    return replace(make_tiny(block), class_names=CLASSES)


@pytest.fixture(scope="module")
def captured() -> Table:
    """A photo and a clip that tiny networks have really seen."""
    clips = {
        "photo": Clip(draw(53, 67), (0.0,), "photo", "1" * 64),
        "clip": Clip(draw(53, 67, FRAMES), tuple(k / 10 for k in range(FRAMES)), "clip", "2" * 64),
    }
    models = {name: named(spec) for name, spec in KINDS.items()}
    seen = {
        (path, name): pipeline.capture(model, clip)
        for path, clip in clips.items()
        for name, model in models.items()
    }
    return Table(clips, seen)


def capture_of(sources: Table, path="photo", network="nl") -> Capture:
    return sources.blocks[path, network]


def at_clip(*views, frame=3) -> Reference:
    return pinned("clip", views, frame=frame, frames=FRAMES)


def told(number: int) -> str:
    """Return what stands under the map of a class."""
    return CLASSES[number] if number < 6 else "???"


def best_classes(capture: Capture, count: int) -> list[int]:
    return capture.logits.argsort(descending=True)[:count].tolist()


@pytest.mark.parametrize("network", KINDS)
def test_parts_name_the_classes_under_grad_cam(captured, network):
    asked = seen_by(network, kind="class maps", count=3)
    (row,) = presets.panel_rows(recipe_of("parts", pinned(networks=(asked,))), captured).rows
    expected = [told(k) for k in best_classes(capture_of(captured, network=network), 3)]
    assert [panel.head for panel in row.panels] == ["input", *["Grad-CAM"] * 3]
    assert [panel.label for panel in row.panels[1:]] == expected


def test_a_class_may_be_chosen_by_number(captured):
    asked = seen_by("nl", kind="class maps", maps="2,5", shown="k2")
    (row,) = presets.panel_rows(recipe_of("heatmaps", pinned(networks=(asked,))), captured).rows
    assert [(panel.head, panel.label) for panel in row.panels[1:]] == [("Grad-CAM", CLASSES[2])]
    each = recipe_of("heatmaps", pinned(networks=(asked,)), one_map="each")
    (row,) = presets.panel_rows(each, captured).rows
    assert [panel.label for panel in row.panels[1:]] == [CLASSES[2], CLASSES[5]]


def test_frames_name_the_class_at_the_row(captured):
    asked = seen_by("nl", kind="class maps", count=2)
    made = recipe_of("frames", at_clip(asked), one_map="each", input_panel=False)
    expected = [told(k) for k in best_classes(capture_of(captured, "clip"), 2)]
    assert [row.label for row in presets.panel_rows(made, captured).rows] == [
        f"Grad-CAM {name}" for name in expected
    ]


@pytest.mark.parametrize("preset", ["parts", "heatmaps", "view"])
def test_the_green_box_is_on_maps_of_a_reference_alone(captured, preset):
    views = [seen_by("nl"), seen_by("nl", kind="features"), seen_by("nl", kind="class maps")]
    (row,) = presets.panel_rows(recipe_of(preset, pinned(networks=views)), captured).rows
    boxed = {}
    for panel in row.panels:
        title = panel.head.partition(" · ")[0]  # a view names its network, too
        boxed.setdefault(title, set()).add(panel.content.reference is not None)
    assert boxed == {"input": {True}, "NL": {True}, "Cosine": {True}, "Grad-CAM": {False}}


@pytest.mark.parametrize("medium", ["photo", "clip"])
def test_arrows_start_at_references_alone(captured, medium):
    views = [seen_by("nl"), seen_by("nl", kind="features"), seen_by("nl", kind="class maps")]
    reference = at_clip(*views) if medium == "clip" else pinned(networks=views)
    look = Look(arrows=4, heat_opacity=0.0)
    made = recipe_of("arrows", reference, look=look, input_panel=False)
    rows = presets.panel_rows(made, captured).rows
    notes = [panel.note for row in rows for panel in row.panels]
    shown = FRAMES if medium == "clip" else 1
    assert notes == [""] * 2 * shown + [NO_ARROWS] * shown
    if medium == "photo":
        (row,) = rows
        assert {start.column for start, _ in row.arrows} == {0, 1}
        assert len(row.arrows) == 8
        return
    assert [len(row.arrows) for row in rows] == [4, 4, 0]


def test_of_a_class_map_the_clips_frames_show_their_moment(captured):
    asked = seen_by("cgnl", kind="class maps")
    made = recipe_of("heatmaps", at_clip(asked), look=Look(threshold=0.0), input_panel=False)
    (row,) = presets.panel_rows(made, captured).rows
    capture = capture_of(captured, "clip", "cgnl")
    assert [panel.content.reference for panel in row.panels] == [None] * FRAMES
    shade = row.panels[0].content.shade
    assert shade.heat.low == 0
    moments = len(shade.heat.values)
    assert [p.content.shade.moment for p in row.panels] == [
        k * moments // FRAMES for k in range(FRAMES)
    ]
    assert capture.frames == FRAMES


def test_the_view_says_the_class_or_where_the_reference_is(captured):
    views = [seen_by("nl"), seen_by("nl", kind="class maps"), seen_by("cgnl", shown="union"),
             seen_by("cgnl", shown="c17")]  # fmt: skip
    (row,) = presets.panel_rows(recipe_of("view", pinned(networks=views)), captured).rows
    (predicted,) = best_classes(capture_of(captured), 1)
    place = "reference row 1, column 1"
    assert [(panel.head, panel.label) for panel in row.panels[1:]] == [
        ("NL · nl", place), ("Grad-CAM · nl", told(predicted)), ("CGNL · cgnl", place),
        ("CGNL · cgnl", f"c17, {place}"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("e2-nl", "e2-nl"),
        ("/home/me/nets/Größe_ž.pth", "Größe_ž.pth"),
        ("C:\\nets\\best.pth", "best.pth"),
        ("鳥🐦.pth", "??.pth"),
        ("a\nb\x00\u200b$x$.pth", "a?b??$x$.pth"),
        ("x" * 300, "x" * 195),
    ],
)
@pytest.mark.parametrize("font", ["sans", "serif", "times"])
def test_the_view_names_the_networks_file_in_letters_that_there_are(name, shown, font):
    sources = photo()
    sources.blocks["photo", name] = sources.blocks["photo", "nl"]
    made = presets.panel_rows(recipe_of("view", pinned(networks=(name,)), font=font), sources)
    assert made.rows[0].panels[1].head == f"NL · {shown}"
    page = page_layout.plan(made)
    assert shown.replace(" ", "") in "".join(words.text for words in page.words).replace(" ", "")


def test_a_label_of_the_view_stands_for_its_title():
    networks = (seen_by("nl", label="Ours"),)
    (row,) = presets.panel_rows(recipe_of("view", pinned(networks=networks)), photo()).rows
    assert row.panels[1].head == "Ours"


def test_labels_of_views_stand_for_the_kinds_titles(captured):
    views = [seen_by("nl", kind="features", label="What is alike"), seen_by("nl", label="Ours")]
    (row,) = presets.panel_rows(recipe_of("parts", pinned(networks=views)), captured).rows
    assert [panel.head for panel in row.panels] == ["input", "What is alike", "Ours"]


def test_regions_are_on_single_maps_or_on_all(captured):
    views = [seen_by("nl", kind="features"), seen_by("nl", kind="class maps", count=1)]
    found = {}
    for wanted in ("none", "NL", "all"):
        made = recipe_of("parts", pinned(networks=views), look=Look(threshold=0.5), regions=wanted)
        (row,) = presets.panel_rows(made, captured).rows
        found[wanted] = [bool(panel.content.regions) for panel in row.panels[1:]]
    assert found == {"none": [False, False], "NL": [True, False], "all": [True, True]}


def test_a_matrix_shows_cosines_too():
    networks = ("nl", seen_by("nl", kind="features"), seen_by("cgnl", kind="features"), "cgnl")
    (row,) = presets.panel_rows(recipe_of("matrix", pinned(networks=networks)), photo()).rows
    assert [panel.head for panel in row.panels] == ["NL", "Cosine", "Cosine"]
    entering = photo().blocks["photo", "cgnl"].block_input[0].flatten(1).double()
    unit = entering / entering.norm(dim=0)
    found = row.panels[2].content
    np.testing.assert_allclose(found.values, unit.T @ unit, atol=1e-6)
    np.testing.assert_allclose(found.values, found.values.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(found.values), 1, atol=1e-6)
    assert found.span[1] == pytest.approx(1)
    assert (row.low, row.high) == (None, None)  # the two kinds have ends of their own


def test_the_matrix_of_a_clips_cosines_has_its_frames():
    made = recipe_of("matrix", pinned("clip", (seen_by("cgnl", kind="features"),), frames=7))
    (panel,) = presets.panel_rows(made, footage()).rows[0].panels
    assert panel.content.frames == (7, 7)
    assert panel.content.size == (105, 105)


def test_class_maps_have_no_matrix(captured, one_line):
    made = recipe_of("matrix", pinned(networks=(seen_by("nl", kind="class maps"),)))
    with pytest.raises(InputError, match="preset matrix") as caught:
        presets.panel_rows(made, captured)
    one_line(caught.value)


@pytest.mark.parametrize("kind", ["features", "class maps"])
def test_groups_of_what_has_none_are_refused(captured, kind, one_line):
    made = recipe_of("groups", pinned(networks=(seen_by("cgnl", kind=kind),)))
    with pytest.raises(InputError, match="preset groups") as caught:
        presets.panel_rows(made, captured)
    one_line(caught.value)


def test_a_union_of_class_maps_says_what_it_is(captured):
    asked = seen_by("nl", kind="class maps")
    made = recipe_of("heatmaps", pinned(networks=(asked,)), one_map="union")
    panel_rows = presets.panel_rows(made, captured)
    assert panel_rows.note == "Grad-CAM: the largest of its classes at every cell"
    panel = panel_rows.rows[0].panels[1]
    assert (panel.head, panel.label, panel.content.reference) == ("Grad-CAM", "", None)


def test_a_class_that_the_network_has_not_is_refused(captured, one_line):
    for how, words in (
        ({"maps": "7"}, "7 is not a class of res4.4; it has classes 0 to 6"),
        ({"shown": "k7"}, "7 is not a class"),
        ({"shown": "channel 1"}, "channel 1 is not a map of res4.4 .Grad-CAM."),
        ({"maps": "standout"}, "'standout' is not a ranking of Grad-CAM; use probability"),
    ):
        asked = seen_by("nl", kind="class maps", **how)
        with pytest.raises(OutsideError, match=words) as caught:
            presets.panel_rows(recipe_of("heatmaps", pinned(networks=(asked,))), captured)
        one_line(caught.value)


def test_a_class_whose_name_no_font_has_is_drawn_all_the_same(captured):
    asked = seen_by("nl", kind="class maps", maps="6")
    for preset in ("parts", "heatmaps", "view"):
        made = presets.panel_rows(recipe_of(preset, pinned(networks=(asked,))), captured)
        assert made.rows[0].panels[1].label == "???"
        assert "???" in [words.text for words in page_layout.plan(made).words]
