"""Opening recipes and figures on the Figure page, without a browser: good ones and bad ones."""

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.ui.figure.test_figure_page import (
    FIGURE,
    bird,
    drawn,
    page,
    place,
    recipe_of,
    told,
    upload,
)
from tests.ui.pages import app, assert_sound
from ui.session import pins as session_pins
from viz.attention.pipeline import load
from viz.examples import bird as bird_example
from viz.figure.api import Figure
from viz.figure.files import embedded_recipe
from viz.figure.recipe import recipe_json
from viz.figure.recipe.file_names import without_folders
from viz.figure.recipe.recipe import Layout, Medium, Network, Part
from viz.figure.sources import FileSources
from viz.media import pictures
from viz.rendering.look import Look

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bundled_once")]


def test_a_figure_that_is_opened_gives_the_same_bytes():
    odd = recipe_of(
        bird(label="<b>bird</b> $x$", parts=(Part("beak", 410.5, 130.25),)),
        look=Look(threshold=0.7312, fixed_range=(0.25, 0.5), normalise="fixed"),
        layout=Layout(width_mm=101.3, captions="(a)", row_labels=("one",)),
    )
    for content in (
        Figure(recipe_of(bird()), FileSources()).content("pdf"),
        Figure(odd, FileSources()).content("svg"),
    ):
        kind = "pdf" if content.startswith(b"%PDF") else "svg"
        at = upload(page(), content, f"figure.{kind}")
        assert not at.error
        assert drawn(at) == embedded_recipe.read(content, "it")
        sources = FileSources()
        assert Figure(drawn(at), sources).content(kind) == content


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "empty.json", "no recipe"),
        (b"{}", "bare.json", "names no format"),
        (b'{"format": "nonlocal-viz-figure/9"}', "new.json", "version 9"),
        (b"%PDF-1.4 broken", "cut.pdf", "PDF"),
        (b'{"format": NaN}', "<img src=x onerror=alert(1)>.json", "NaN"),
        (b"<svg><!DOCTYPE x", "odd.svg", "SVG"),
        (b"\xff\xd8\xff", "photo.jpg", "no recipe"),
    ],
    ids=["empty", "bare", "newer", "broken", "markup", "svg", "photo"],
)
def test_what_is_no_recipe_is_one_line_and_the_figure_stays(content, name, says):
    at = app().switch_page(FIGURE)
    at.session_state["pins"] = (session_pins.Pin("t", bird(), bird_example.clip()),)
    at.run()
    before = drawn(at)
    upload(at, content, name)
    assert len(at.error) == 1
    assert says in at.error[0].value.replace("\\", "")
    assert "\n" not in at.error[0].value
    assert "<img" not in at.error[0].value.replace("\\<", "")
    assert drawn(at) == before


def png(shade):
    packed = io.BytesIO()
    Image.new("RGB", (96, 64), (shade, 90, 40)).save(packed, "PNG")
    return packed.getvalue()


def test_missing_pictures_are_asked_for_by_name_and_hash_and_never_opened(tmp_path):
    own, other = png(10), png(20)
    path = tmp_path / "*mine*.png"
    path.write_bytes(own)
    clip = pictures.read(own, path.name)
    reference = bird(medium=Medium(str(path), clip.sha256), at=(40.0, 30.0))
    made = recipe_of(bird(), reference)
    text = recipe_json.dumps(made).replace(json.dumps(path.name), json.dumps(str(path)))
    assert str(path) in text
    at = upload(page(), text.encode())
    assert "Missing: 1 file" in at.info[0].value
    assert clip.sha256[:12] in told(at)
    assert "*mine*" in told(at).replace("\\*", "*")
    assert "pins" not in at.session_state
    give = place(at, "missing")
    give.upload("other.png", other, "image/png").run()
    assert_sound(at)
    line = at.error[0].value
    assert clip.sha256[:12] in line
    assert pictures.read(other, "x.png").sha256[:12] in line
    give = place(at, "missing")
    give.upload("renamed.png", own, "image/png").run()
    assert_sound(at)
    assert drawn(at) == without_folders(made)
    assert [pin.clip.name for pin in at.session_state["pins"]][1] == "renamed.png"


def test_a_recipe_can_be_opened_without_what_is_missing_or_not_at_all():
    made = recipe_of(bird(), bird(medium=Medium("passwd", "a" * 64)))
    at = upload(page(), recipe_json.dumps(made).replace('"passwd"', '"/etc/passwd"').encode())
    at.button(key="figure-without").click().run()
    assert_sound(at)
    assert drawn(at).references == made.references[:1]
    upload(at, recipe_json.dumps(recipe_of(bird(medium=Medium("b.png", "b" * 64)))).encode())
    assert not [one for one in at.button if one.key == "figure-without"]
    at.button(key="figure-cancel").click().run()
    assert not at.info
    assert drawn(at).references == made.references[:1]


def test_networks_that_are_not_here_are_named_with_their_hashes():
    [first, _] = bird().views
    changed = replace(first, network=Network("e2-nl", "c" * 64))
    unknown = replace(first, network=Network("passwd", "d" * 64))
    text = recipe_json.dumps(recipe_of(bird(views=(changed, unknown))))
    at = upload(page(), text.replace('"passwd"', '"/etc/passwd"').encode())
    lines = [one.value for one in at.warning]
    assert len(lines) == 2
    assert "c" * 12 in lines[0]
    assert load("e2-nl").sha256[:12] in lines[0]
    assert "/etc/passwd" in lines[1]
    assert "d" * 12 in lines[1]
    assert len(at.error) == 1


def test_a_font_by_path_is_not_opened():
    made = recipe_of(bird())
    text = recipe_json.dumps(made).replace('"own_font": ""', '"own_font": "/etc/passwd.ttf"')
    at = upload(page(), text.encode())
    assert "font of its own, /etc/passwd.ttf" in at.error[0].value
    assert_sound(at)


@pytest.mark.parametrize("depth", [16, 8])
def test_a_picture_is_shown_with_the_recipes_levels_or_said_to_have_none(depth):
    packed = io.BytesIO()
    values = np.full((48, 64), 90, np.uint16 if depth == 16 else np.uint8)
    Image.fromarray(values).save(packed, "PNG")
    medium = Medium("deep.png", hashlib.sha256(packed.getvalue()).hexdigest(), (), (30.0, 150.0))
    made = recipe_of(bird(), bird(medium=medium, at=(30.0, 20.0)))
    at = upload(page(), recipe_json.dumps(made).encode())
    place(at, "missing").upload("deep.png", packed.getvalue(), "image/png").run()
    assert_sound(at)
    if depth == 8:
        assert any("levels do not apply" in one.value for one in at.error)
        return
    assert drawn(at) == made
    pin = at.session_state["pins"][1]
    assert (pin.clip.levels, int(pin.clip.frames[0, 0, 0, 0])) == (medium.levels, 128)
