"""What Explore saves is a figure: its recipe draws the same bytes again, from files."""

import io
import json

import pytest
from PIL import Image

from tests.ui.pages import assert_sound, opened, uploader
from tests.viz.drawn_clips import frames, video
from viz.attention.kinds.registry import KINDS
from viz.cli.main import main
from viz.examples import bird
from viz.figure.files import embedded_recipe
from viz.figure.recipe import recipe_json

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bundled_once")]

COSINE, GRAD_CAM = KINDS["features"].menu, KINDS["class maps"].menu
SMALL = {"dpi": "75"}
"""A page of a sixteenth of the pixels, which is drawn in as much less time."""
KICK = {"example": "kick", "net": "e2-nl", "beside": "e2-cgnl", "size": "224", **SMALL}


def photo(width=300, height=200):
    """A file of a drawn picture."""
    packed = io.BytesIO()
    bird.draw().resize((width, height)).save(packed, "PNG")
    return packed.getvalue()


def again(tmp_path, recipe, kind="png"):
    """What the command line renders of a recipe's text."""
    (tmp_path / "recipe.json").write_bytes(recipe)
    out = tmp_path / f"again.{kind}"
    assert main(["render", str(tmp_path / "recipe.json"), "--out", str(out)]) == 0
    return out.read_bytes()


def as_bytes(content):
    return content.encode() if isinstance(content, str) else content


def assert_renders(offered, tmp_path):
    """Check that view.png is what the command line makes of recipe.json; return both."""
    saved, text = offered["png"](), as_bytes(offered["json"]())
    assert again(tmp_path, text) == saved
    recipe = recipe_json.loads(text)
    assert embedded_recipe.read(saved, "view.png") == recipe
    assert recipe.preset == "view"
    return recipe, saved


@pytest.mark.parametrize(
    "address",
    [
        {},
        {
            "net": "e2-cgnl",
            "beside": "none",
            "channels": "list",
            "list": "17,3",
            "focus": "channel 2",
            "threshold": "0.35",
            "map": "jet",
            "smoothing": "nearest",
            **SMALL,
        },
        {
            "channels": "class evidence",
            "mode": "center-crop",
            "focus": "group 3",
            "scale": "fixed range",
            "low": "-2",
            "high": "9.5",
            "arrows": "true",
            "opacity": "0.95",
            **SMALL,
        },
        {"kind": COSINE, "kind2": GRAD_CAM, "class-focus": "class 2", "size": "320", **SMALL},
    ],
    ids=["as it opens", "listed channels", "fixed range", "other kinds"],
)
def test_the_picture_of_a_photo_is_what_its_recipe_renders(offered, tmp_path, address):
    assert_sound(opened(**address))
    recipe, saved = assert_renders(offered, tmp_path)
    [reference] = recipe.references
    assert len(reference.views) == (1 if address.get("beside") == "none" else 2)
    look = recipe.look
    assert look.threshold == float(address.get("threshold", "0.7"))
    assert look.colormap == address.get("map", "inferno")
    assert (look.arrows, look.normalise) == ((20, "fixed") if "arrows" in address else (0, "clip"))
    with Image.open(io.BytesIO(saved)) as picture:
        assert picture.width / recipe.layout.dpi * 25.4 == pytest.approx(183.0, abs=0.3)


@pytest.mark.parametrize(
    "address", [KICK, {**KICK, "kind": COSINE, "arrows": "true"}], ids=["NL and CGNL", "cosine"]
)
def test_the_picture_of_a_clip_is_what_its_recipe_renders(offered, tmp_path, address):
    assert_sound(opened(**address, at="6,2,8"))
    recipe, _ = assert_renders(offered, tmp_path)
    assert len(recipe.references[0].medium.frames) == 8
    assert recipe.references[0].frame == 6


def test_an_uploaded_photo_is_rendered_from_the_file_beside_its_recipe(offered, tmp_path):
    at = opened(**SMALL)
    uploader(at, "upload").upload("my photo.png", photo(), "image/png").run()
    assert_sound(at)
    (tmp_path / "my photo.png").write_bytes(photo())
    recipe, _ = assert_renders(offered, tmp_path)
    assert recipe.references[0].medium.path == "my photo.png"


def test_an_uploaded_clip_is_rendered_from_the_frames_that_were_taken(offered, tmp_path):
    content = video(frames(23, 62, 98))
    at = opened(size="224", **SMALL)
    uploader(at, "upload").upload("walk.mp4", content, "video/mp4").run()
    assert_sound(at)
    assert at.selectbox(key="net").value == "e2-clip-nl"
    (tmp_path / "walk.mp4").write_bytes(content)
    recipe, _ = assert_renders(offered, tmp_path)
    assert len(recipe.references[0].medium.frames) == 8


def test_the_movie_is_what_its_recipe_renders(offered, tmp_path):
    at = opened(**{**KICK, "beside": "none"}, sampling="custom", frames="3", step="2")
    at.segmented_control(key="view-movie-kind").set_value("GIF").run()
    at.button(key="view-movie-make").click().run()
    assert_sound(at)
    assert again(tmp_path, as_bytes(offered["json"]()), "gif") == offered["gif"]()


def test_titles_captions_and_places_of_the_page_stand_under_the_maps(offered):
    assert_sound(opened(at="3,9", focus="group 2", kind=COSINE))
    [reference] = json.loads(offered["json"]())["references"]
    assert [view["label"] for view in reference["views"]] == [
        "Cosine · e2-nl · unit14", "CGNL · e2-cgnl · unit14",
    ]  # fmt: skip
    assert [view["shown"] for view in reference["views"]] == [None, "group 2"]
