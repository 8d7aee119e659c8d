"""What recipes call files: nobody's folders are in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.figure.recipe.conftest import usual
from viz.figure.recipe import recipe_json
from viz.figure.recipe.file_names import public
from viz.figure.recipe.recipe import Layout, Medium, Network, Reference, View


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("a.jpg", "a.jpg"),
        ("photos/a.jpg", "photos/a.jpg"),
        ("./a.jpg", "./a.jpg"),
        ("frames/img_", "frames/img_"),
        ("example:bird", "example:bird"),
        ("hf:facebook/dinov2-small", "hf:facebook/dinov2-small"),
        ("~a.jpg", "~a.jpg"),
        ("/home/ada/a.jpg", "a.jpg"),
        ("/home/ada/frames/", "frames"),
        ("~/a.jpg", "a.jpg"),
        ("~ada/photos/a.jpg", "a.jpg"),
        ("../ada/a.jpg", "a.jpg"),
        ("photos/../../ada/a.jpg", "a.jpg"),
        ("C:\\Users\\ada\\a.jpg", "a.jpg"),
        ("C:a.jpg", "a.jpg"),
        ("\\\\host\\ada\\a.jpg", "a.jpg"),
        ("..\\a.jpg", "a.jpg"),
        ("/C:", "unnamed"),
        ("/", "unnamed"),
        ("..", "unnamed"),
    ],
)
def test_a_path_below_the_working_folder_stays_and_of_others_the_name(given, written):
    assert public(given) == written


@given(st.text(st.sampled_from("ab./\\~:C"), min_size=1, max_size=12))
def test_what_is_written_leads_nowhere_and_stays_as_it_is(path):
    written = public(path)
    assert written
    assert public(written) == written
    assert not written.startswith(("/", "\\"))
    assert ".." not in written.replace("\\", "/").split("/")


def test_no_folder_is_written_wherever_a_recipe_names_a_file():
    view = View(Network("/home/ada/net.pth", ""))
    second = Medium("/home/ada/b.png", "")
    one = Reference(Medium("../ada/a.png", ""), (view,), second=second)
    made = usual(references=(one,), layout=Layout(own_font="/home/ada/My.ttf"))
    text = recipe_json.dumps(made)
    assert "ada" not in text
    found = recipe_json.loads(text)
    (reference,) = found.references
    assert (reference.medium.path, reference.second.path) == ("a.png", "b.png")
    assert reference.views[0].network.id == "net.pth"
    assert found.layout.own_font == "My.ttf"
    assert recipe_json.dumps(found) == text
