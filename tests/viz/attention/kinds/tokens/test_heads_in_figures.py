"""Networks of libraries and of one's own in figures, recipes and on the command line."""

import json

import numpy as np
import pytest
import timm
from PIL import Image

import viz
import viz.figure
from errors import InputError
from models.specs.network import Preprocessing
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import clip_network, picture_network
from viz.cli import main
from viz.figure.recipe import recipe_json
from viz.figure.sources import FileSources
from viz.rendering.heat import normalise
from viz.rendering.look import Look
from viz.types import Clip

pytestmark = pytest.mark.slow

AT = (41, 22)
VIT = "timm:vit_tiny_patch16_224?pretrained=no"


@pytest.fixture
def photo(tmp_path, tiny_clip):
    path = tmp_path / "photo.png"
    Image.fromarray(tiny_clip.frames[0]).save(path)
    return path


@pytest.fixture
def own():
    prep = Preprocessing(size=64, resize=64, stride=16, fixed=True)
    return wrap(picture_network("vit"), prep, classes=7, name="module:mine")


def test_every_head_is_a_panel_and_is_its_map(own, photo):
    figure = viz.figure.groups(str(photo), own, AT, input_panel=False)
    (row,) = figure.panel_rows().rows
    maps = viz.maps(viz.capture(own, photo), at=AT)
    assert len(row.panels) == len(maps) == 3
    for panel, one in zip(row.panels, maps, strict=True):
        expected = normalise(one, Look()).values
        assert np.array_equal(panel.content.shade.heat.values, expected)


def test_a_figure_of_a_module_is_drawn_again_with_it(own, photo):
    figure = viz.figure.view(str(photo), own, AT, shown="head 1")
    content = figure.content("png")
    recipe = recipe_json.loads(recipe_json.dumps(figure.recipe))
    again = viz.figure.Figure(recipe, FileSources(photo.parent, loaded=[own]))
    assert again.content("png") == content
    with pytest.raises(InputError, match="'module:mine' is not a network"):
        viz.figure.Figure(recipe, FileSources(photo.parent)).content("png")


def test_a_module_with_other_weights_is_another_network(own, photo):
    recipe = viz.figure.view(str(photo), own, AT).recipe
    prep = own.spec.preprocessing
    other = wrap(picture_network("deit, distilled"), prep, name="module:mine")
    with pytest.raises(InputError, match="module:mine has changed: its weights have sha256"):
        viz.figure.Figure(recipe, FileSources(photo.parent, loaded=[other])).content("png")


def test_a_recipe_names_package_version_network_and_the_hash_of_its_weights(photo):
    figure = viz.figure.view(str(photo), VIT, AT, block="blocks.3.attn", shown="head 2", size=64)
    plain = json.loads(recipe_json.dumps(figure.recipe))
    assert plain["versions"]["timm"] == timm.__version__
    assert "transformers" not in plain["versions"]
    (shown,) = plain["references"][0]["views"]
    assert shown["network"] == {
        "id": VIT,
        "sha256": viz.load(VIT).sha256,
        "answers": [],
        "classes": [],
    }
    assert (shown["block"], shown["shown"]) == ("blocks.3.attn", "head 2")


def test_recipes_of_our_networks_name_no_other_library(nl_model, photo):
    sources = FileSources(load=lambda _name, _answers: nl_model)
    figure = viz.figure.view(str(photo), "tiny", AT, sources=sources)
    assert not {"timm", "transformers"} & figure.recipe.versions.keys()


@pytest.mark.parametrize("kind", ["rollout", "class token", "keys"])
def test_other_kinds_of_heads_in_figures(own, photo, kind):
    figure = viz.figure.view(str(photo), own, AT, kind=kind)
    assert figure.content("png").startswith(b"\x89PNG")
    (view,) = figure.recipe.references[0].views
    assert view.kind == kind


def test_a_matrix_of_heads_is_their_mean(own, photo):
    panels = viz.figure.matrix(str(photo), own).panel_rows().panels
    assert panels[0][2].content.size == (16, 16)


@pytest.mark.usefixtures("small_pages")
def test_the_command_line_writes_maps_and_draws_them_again(photo, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ["maps", str(photo), "--model", VIT, "--at", "41,22", "--size", "64"]
    assert main.main([*asked, "--block", "blocks.2.attn", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "blocks.2.attn: reference row" in said
    assert "of the weight goes to class and register tokens" in said
    assert all(f"head {h}: entropy" in said for h in range(3))
    names = sorted(path.name for path in out.glob("*.png"))
    assert names == ["photo-h0.png", "photo-h1.png", "photo-h2.png"]
    recipe, again = out / "recipe.json", out / "again.png"
    assert main.main(["render", str(recipe), "--out", str(again)]) == 0
    assert again.read_bytes() == (out / "photo-h0.png").read_bytes()


def test_the_command_line_says_what_attends_in_a_network(capsys):
    assert main.main(["inspect", VIT]) == 0
    said = capsys.readouterr().out
    assert "blocks.0.attn to blocks.11.attn: 12 x 3 heads, 14 x 14" in said
    assert main.main(["inspect", "timm:resnet18?pretrained=no"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_clip_network_has_rows_over_all_frames_and_a_movie(tiny_clip):
    prep = Preprocessing(size=64, resize=64, stride=2, frames=4, fixed=True)
    model = wrap(clip_network("hf videomae"), prep, layout="BTCHW")
    frames = np.concatenate([tiny_clip.frames // (t + 1) for t in range(4)])
    clip = Clip(frames, (0.0, 0.1, 0.2, 0.3), "clip", "0" * 64)
    capture = viz.capture(model, clip)
    (block, *_) = capture.blocks.values()
    assert tuple(block.query_grid) == (2, 4, 4)  # tubelets of two frames
    first = viz.maps(capture, at=AT, frame=0)[0]
    same, later = (viz.maps(capture, at=AT, frame=t)[0] for t in (1, 3))
    assert np.array_equal(first.values, same.values)
    assert not np.array_equal(first.values, later.values)


def test_features_as_colours_are_their_principal_components(own, photo):
    capture = viz.capture(own, photo)
    colours = viz.feature_colours(capture)
    assert (colours.shape, colours.dtype) == ((1, 4, 4, 3), np.float32)
    block = list(capture.blocks.values())[-1]
    features = block.block_input[0].double().flatten(1).T.numpy()
    centred = features - features.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    for k in range(3):
        axis = vectors[:, -1 - k] * np.sign(vectors[np.abs(vectors[:, -1 - k]).argmax(), -1 - k])
        part = centred @ axis
        expected = (part - part.min()) / (part.max() - part.min())
        np.testing.assert_allclose(colours[..., k].ravel(), expected, atol=1e-5)
    assert values[-1] > 0


def test_scores_of_heads_from_python(own, photo, nl_model):
    capture = viz.capture(own, photo)
    lines = viz.head_scores(capture, at=AT)
    assert [line["head"] for line in lines] == [0, 1, 2]
    assert viz.head_scores(viz.capture(nl_model, photo), at=AT) == []
