"""From inputs, networks and pixels to references and options."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from errors import InputError, OutsideError
from models.report import Fact, Report
from models.specs.block import NonLocalSpec
from tests.conftest import draw, make_tiny
from tests.viz.drawn_clips import animation, frames
from viz.attention import pipeline, queries
from viz.attention.choice import MapChoice, ranked
from viz.figure import composition
from viz.figure.options import Asked
from viz.figure.panels.presets import TABLE
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.file_names import without_folders
from viz.figure.recipe.recipe import Layout, Medium, Network, Part, View
from viz.figure.sources import FileSources
from viz.media import footage
from viz.rendering.look import Look
from viz.types import Sampling


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.fromarray(draw(53, 67)[0]).save(path)
    return str(path)


@pytest.fixture
def reel(tmp_path: Path) -> str:
    path = tmp_path / "reel.gif"
    path.write_bytes(animation(frames(23)))
    return str(path)


@pytest.fixture
def sources() -> FileSources:
    """Sources whose networks are tiny: "a", "b" and so on, each with its own sha256."""

    def load(name, _answers):
        return replace(make_tiny(None), id=name, sha256=(name.encode().hex() + "0" * 64)[:64])

    return FileSources(load=load)


def refusal(one_line, ask, kind: type[Exception] = InputError) -> str:
    with pytest.raises(kind) as caught:
        ask()
    return one_line(caught.value)


def test_a_reference_names_medium_and_networks_by_sha256(photo, sources):
    (found,) = composition.references(sources, [photo], ["a", "b"], (12, 30.5))
    assert found.medium == Medium(photo, footage.load(photo).sha256)
    assert found.views == (
        View(Network("a", "61" + "0" * 62), "res5.2", size=64),
        View(Network("b", "62" + "0" * 62), "res5.2", size=64),
    )
    assert (found.at, found.frame, found.parts) == ((12, 30.5), 0, ())


def test_clips_are_sampled_as_the_first_network_was_made_for(reel, photo, sources):
    first = sources.network("a")
    expected = footage.load(reel).numbers(pipeline.sampling_for(first.spec))
    taken = composition.references(sources, [reel, photo, "example:kick"], ["a"], (5, 5))
    assert taken[0].medium.frames == expected
    assert taken[1].medium.frames == ()
    assert len(taken[2].medium.frames) == 8
    assert taken[2].medium.path == "example:kick"


def test_sampling_and_frames_may_be_asked_for(reel, sources):
    asked = Asked(frame=(2, 0), sampling=Sampling(3, 2, 1))
    first, second = composition.references(sources, [reel, reel], ["a"], (5, 5), asked)
    assert first.medium.frames == second.medium.frames == (1, 3, 5)
    assert (first.frame, second.frame) == (2, 0)


def test_pixels_are_one_for_all_or_one_for_each(photo, sources):
    def at(pixels):
        found = composition.references(sources, [photo, "example:bird"], ["a"], pixels)
        return [reference.at for reference in found]

    assert at((3, 4)) == at([(3, 4)]) == at(np.array([3, 4])) == [(3, 4), (3, 4)]
    assert at([(3, 4), (5, 6)]) == at(np.array([[3, 4], [5, 6]])) == [(3, 4), (5, 6)]
    assert at(()) == [None, None]


def test_values_of_views_are_one_for_all_or_one_for_each_network(photo, sources):
    asked = Asked(block=("res3.2", None), size=128, maps=["groups", "0,3"], count=3)
    (found,) = composition.references(sources, [photo], ["a", "b"], (3, 4), asked)
    told = [(v.block, v.size, v.maps, v.count, v.mode) for v in found.views]
    assert told == [("res3.2", 128, "groups", 3, "fit"), ("res5.2", 128, "0,3", 3, "fit")]


def test_a_list_of_class_names_is_in_the_recipe_and_names_the_classes_from_it_alone(photo):
    plain, names = make_tiny(None), ("gull", "tern", "auk")
    model = replace(plain, spec=replace(plain.spec, num_classes=3))
    asked = FileSources(load=lambda _name, _answers: model.with_names(names))
    ((view,),) = (one.views for one in composition.references(asked, [photo], ["a"], (3, 4)))
    assert view.network.classes == names
    later = FileSources(load=lambda _name, _answers: model)
    assert later.model(view.network).class_name(2) == "auk"
    others = FileSources(load=lambda _name, _answers: model.with_names(names[::-1]))
    assert others.model(view.network).class_name(2) == "gull"  # what is asked now stands above
    ((bare,),) = (one.views for one in composition.references(later, [photo], ["a"], (3, 4)))
    assert bare.network.classes == ()


def test_a_list_of_another_length_is_one_line(one_line):
    sources = FileSources(load=lambda _name, _answers: make_tiny(None))
    with pytest.raises(InputError, match="list has 1 name") as caught:
        sources.model(Network("a", "", classes=("gull",)))
    one_line(caught.value)


@pytest.mark.parametrize(
    "given",
    [{"kernel": "cgnlx"}, (("kernel", "cgnlx"),), {"kernel": "cgnlx", "scale": "of another"}],
)
def test_answers_go_to_the_loader_and_those_it_needs_into_the_recipe(photo, given):
    asked = []

    def load(name, answers):
        asked.append((name, answers))
        needed = (Fact("kernel", "cgnlx", "your answer"),)
        return replace(make_tiny(None), report=Report("a family", "a container", needed))

    (found,) = composition.references(
        FileSources(load=load), [photo], ["a"], (3, 4), Asked(answers=given)
    )
    assert asked == [("a", dict(given))]
    assert found.views[0].network.answers == (("kernel", "cgnlx"),)


def test_ground_truth_is_found_for_each_input(photo, reel, sources, tmp_path, one_line):
    points = tmp_path / "points.csv"
    points.write_text("image,name,x,y\nphoto.png,beak,3,4\nreel.gif,ball,5,6\n")
    found = composition.references(sources, [photo, reel], ["a"], (3, 4), Asked(truth=points))
    assert [reference.parts for reference in found] == [
        (Part("beak", 3, 4),),
        (Part("ball", 5, 6),),
    ]
    points.write_text("image,name,x,y\nphoto.png,beak,3,4\n")
    said = refusal(
        one_line,
        lambda: composition.references(sources, [reel], ["a"], (3, 4), Asked(truth=str(points))),
    )
    assert "no points of" in said


def test_nothing_is_decoded_or_run_and_files_are_read_once(photo, reel, monkeypatch):
    loads, reads, real = [], [], footage.load
    monkeypatch.setattr(footage, "load", lambda path, _levels: reads.append(path) or real(path))
    monkeypatch.setattr(footage.Footage, "take", None)
    monkeypatch.setattr(pipeline, "run", None)

    def load(name, _answers):
        loads.append(name)
        return make_tiny(None)

    sources = FileSources(load=load)
    found = composition.references(sources, [photo, reel, photo], ["a", "a"], (3, 4))
    assert (loads, len(reads)) == (["a"], 2)
    monkeypatch.undo()
    monkeypatch.setattr(footage, "load", None)
    assert [len(sources.clip(reference.medium).frames) for reference in found] == [1, 8, 1]
    sources.model(found[0].views[0].network)
    assert loads == ["a"]


@pytest.mark.parametrize(
    ("inputs", "models", "at", "asked", "words"),
    [
        ([], ["a"], (1, 2), {}, "No input is given"),
        (["P"], [], (1, 2), {}, "No network is given"),
        (["P"], ["a"], [(1, 2), (3, 4)], {}, "2 references do not fit 1 input"),
        (["P", "P", "P"], ["a"], [(1, 2), (3, 4)], {}, "2 references do not fit 3 inputs"),
        (["P"], ["a"], (1, 2, 3), {}, "is not a reference"),
        (["P"], ["a"], [(1, 2, 3)], {}, "is not a reference"),
        (["P"], ["a"], "x", {}, "is not a reference"),
        (["P"], ["a"], (1, 2), {"frame": 1}, "it has one frame, 0"),
        (["R"], ["a"], (1, 2), {"frame": 8}, "it has the sampled frames 0 to 7"),
        (["R"], ["a"], (1, 2), {"frame": -1}, "-1 is not a frame of"),
        (["R"], ["a"], (1, 2), {"sampling": Sampling(0)}, "0 frames cannot be taken"),
        (
            ["P"],
            ["a"],
            (1, 2),
            {"block": ("x", "y", "z")},
            "3 values of block do not fit 1 network",
        ),
        (["P"], ["a"], (1, 2), {"truth": "none.csv"}, "none.csv could not be read"),
        (["none.png"], ["a"], (1, 2), {}, "none.png could not be read"),
    ],
)
def test_what_cannot_be_is_one_line(
    photo, reel, sources, one_line, inputs, models, at, asked, words
):
    paths = [{"P": photo, "R": reel}.get(name, name) for name in inputs]
    ask = lambda: composition.references(sources, paths, models, at, Asked(**asked))  # noqa: E731
    assert words in refusal(one_line, ask)


def test_options_are_the_presets_with_what_is_given_in_their_place():
    look, layout = composition.options("parts")
    assert (look, layout) == (TABLE["parts"].look, TABLE["parts"].layout)
    look, layout = composition.options("heatmaps", colormap="viridis", dpi=600, row_labels=["a"])
    assert look == replace(TABLE["heatmaps"].look, colormap="viridis")
    assert layout == replace(TABLE["heatmaps"].layout, dpi=600, row_labels=("a",))


@pytest.mark.parametrize(
    ("given", "mm"),
    [
        ("cvpr-column", 82.55),
        ("neurips", 139.7),
        ("nature-page", 183),
        ("3.25in", 82.55),
        ("8.9 cm", 89),
        ("89mm", 89),
        ("100", 100),
        (100, 100),
        (82.5, 82.5),
    ],
)
def test_a_width_is_a_length_or_a_venue(given, mm):
    assert composition.options("parts", width=given)[1].width_mm == pytest.approx(mm)


@pytest.mark.parametrize("given", ["wide", "-3", "nan", "3 ft", "", None, "１"])
def test_another_width_is_refused(one_line, given):
    assert "is not a width; give" in refusal(one_line, lambda: composition.width_of(given))


@pytest.mark.parametrize(
    ("preset", "given", "words"),
    [
        ("part", {}, "'part' is not a preset; perhaps parts."),
        ("<b>", {}, "use one of view, parts, frames"),
        ("parts", {"treshold": 0.5}, "perhaps threshold"),
        ("parts", {"width_in": 3}, "width_mm"),
        ("parts", {"mapz": "auto"}, "perhaps maps"),
        ("parts", {"maps": "auto"}, "'maps' is not an option; "),
    ],
)
def test_an_unknown_name_is_refused_with_those_near_it(one_line, preset, given, words):
    said = refusal(one_line, lambda: composition.options(preset, **given))
    assert words in said


def test_a_composed_recipe_is_whole_checked_and_gives_itself_back(photo, sources, one_line):
    found = composition.references(sources, [photo], ["a"], (3, 4))
    made = composition.composed("parts", found, threshold=0.5, width="cvpr-text")
    assert (made.look.threshold, made.layout.width_mm) == (0.5, 174.625)
    assert made.versions == recipe.here()
    assert recipe_json.loads(recipe_json.dumps(made)) == without_folders(made)
    for bad in ({"threshold": 2.0}, {"dpi": 10**6}, {"row_labels": ["x" * 10_000]}):
        refusal(one_line, lambda bad=bad: composition.composed("parts", found, **bad))
    assert isinstance(made.look, Look)
    assert isinstance(made.layout, Layout)


def test_an_error_of_frames_is_of_the_kind_outside(photo, sources):
    with pytest.raises(OutsideError):
        composition.references(sources, [photo], ["a"], (3, 4), Asked(frame=3))


def test_presets_tell_whether_they_need_a_reference():
    without = [name for name in TABLE if not composition.needs_reference(name)]
    assert without == ["matches", "gates", "matrix", "objects"]


def test_rows_have_names_and_boxes_of_their_own(photo, sources):
    found = composition.references(
        sources,
        [photo, photo],
        ["a"],
        (12, 30.5),
        Asked(name=("x", "y"), box=[None, (1, 2, 30, 40)]),
    )
    assert [(one.label, one.crop) for one in found] == [("x", None), ("y", (1.0, 2.0, 30.0, 40.0))]
    both = composition.references(
        sources, [photo] * 2, ["a"], (12, 30.5), Asked(box=(1, 2, 30, 40))
    )
    assert {one.crop for one in both} == {(1.0, 2.0, 30.0, 40.0)}


@pytest.mark.parametrize("box", ["left", (1, "x", 3, 4), [[1, 2, 3, 4]] * 3])
def test_boxes_that_are_none_are_one_line(box, photo, sources, one_line):
    with pytest.raises(InputError) as caught:
        composition.references(sources, [photo] * 2, ["a"], (12, 30.5), Asked(box=box))
    one_line(caught.value)


@pytest.fixture
def attending() -> FileSources:
    """Sources whose network has five NL blocks."""
    return FileSources(load=lambda _name, _answers: make_tiny(NonLocalSpec(), "5"))


def test_the_block_is_the_last_by_its_name_unless_another_is_asked_for(photo, attending):
    labels = queries.block_labels(attending.network("a").spec)
    assert len(labels) == 5
    for asked, expected in ((Asked(), labels[-1]), (Asked(block=labels[0]), labels[0])):
        (found,) = composition.references(attending, [photo], ["a"], (3, 4), asked)
        assert found.views[0].block == expected


@pytest.mark.parametrize(
    ("given", "choice"),
    [("c17", MapChoice("channel", 17)), ("channel 2", ranked("channel", 2)), (None, None),
     ("union", MapChoice("union")), (MapChoice("group", 3), MapChoice("group", 3))],
)  # fmt: skip
def test_the_shown_map_is_written_or_given(photo, sources, given, choice):
    (found,) = composition.references(sources, [photo], ["a"], (3, 4), Asked(shown=given))
    assert found.views[0].shown == choice


@pytest.mark.parametrize("given", ["best", "channel 0", "c", "", "union\n", "channel 1" * 99])
def test_a_shown_map_that_is_none_is_one_line(photo, sources, one_line, given):
    def ask():
        composition.references(sources, [photo], ["a"], (3, 4), Asked(shown=given))

    assert "is not a map; write channel 1" in refusal(one_line, ask)


def test_kinds_are_one_for_all_or_one_for_each(photo, sources, one_line):
    asked = Asked(kind=(None, "features"))
    found = composition.references(sources, [photo], ["a", "b"], (3, 4), asked)
    assert [view.kind for view in found[0].views] == [None, "features"]
    assert composition.composed("parts", found).references == found
    found = composition.references(sources, [photo], ["a"], (3, 4), Asked(kind="nope"))
    said = refusal(one_line, lambda: composition.composed("parts", found))
    assert (
        "views[0].kind is 'nope'; use one of affinity, channels, context, heads, features" in said
    )


@pytest.mark.parametrize("name", ["mode", "size"])
def test_a_mode_or_size_that_is_none_is_refused_before_anything_is_drawn(
    photo, sources, one_line, name
):
    asked = Asked(**{name: {"mode": "stretch", "size": 7}[name]})
    said = refusal(one_line, lambda: composition.references(sources, [photo], ["a"], (3, 4), asked))
    assert {"mode": "use fit or center-crop", "size": "give 16 to 1344"}[name] in said


def test_what_a_page_shows_is_the_preset_view_in_its_look(photo, sources, one_line):
    found = composition.references(sources, [photo], ["a"], (3, 4))
    look = Look(threshold=0.25, colormap="viridis")
    made = composition.view_recipe(found, look)
    assert made.preset == "view"
    assert made == composition.composed("view", found, threshold=0.25, colormap="viridis")
    assert made.layout == TABLE["view"].layout
    assert made.layout.bar == "map"
    assert recipe_json.loads(recipe_json.dumps(made)) == without_folders(made)
    for bad in (Look(threshold=5.0), Look(fixed_range=(1.0, 0.0))):
        refusal(one_line, lambda bad=bad: composition.view_recipe(found, bad))
