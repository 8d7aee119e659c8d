"""``render``: moved media, mapped networks, other versions, and recipes that are refused."""

import json

import pytest
from PIL import Image

from tests.conftest import draw
from tests.viz.cli.figure.conftest import figure, outs, refusal, render
from viz.cli import main
from viz.figure import api as figures
from viz.figure.recipe import recipe, recipe_json
from viz.media import footage

pytestmark = pytest.mark.slow


def test_a_moved_picture_is_found_beside_the_recipe_or_as_media_says(photo, made, tmp_path, capsys):
    first, second = tmp_path / "1.png", tmp_path / "2.png"
    moved = photo.rename(made.parent / photo.name)
    assert render(made, *outs(first)) == 0
    elsewhere = tmp_path / "else=where.png"
    moved.rename(elsewhere)
    capsys.readouterr()
    assert render(made, *outs(second)) == 2
    told = refusal(capsys)
    assert "photo.png is missing" in told
    assert json.loads(made.read_text())["references"][0]["medium"]["sha256"][:12] in told
    ways = (f"photo.png={elsewhere}", f"{photo}={elsewhere}", str(elsewhere))
    for way in ways:  # by its name, by the path that it had, alone
        assert render(made, *outs(second), "--media", way) == 0
        assert second.read_bytes() == first.read_bytes()
        second.unlink()


def test_pictures_of_one_name_are_told_by_their_hash(photo, tmp_path, capsys):
    other = tmp_path / "other" / "photo.png"
    other.parent.mkdir()
    Image.fromarray(draw(80, 96)[0][::-1]).save(other)
    first, second = tmp_path / "a.pdf", tmp_path / "b.pdf"
    asked = ["figure", "parts", str(photo), str(other), "--model", "nl", "--at", "48,26"]
    assert main.main([*asked, *outs(first)]) == 0
    assert str(tmp_path).encode() not in first.read_bytes()
    paths = [one.medium.path for one in figures.load(first).recipe.references]
    assert paths == ["photo.png", "photo.png"]
    capsys.readouterr()
    for given in ([str(other)], [str(other.parent)], [f"photo.png={photo}", f"photo.png={other}"]):
        media = [word for one in given for word in ("--media", one)]
        assert render(first, *outs(second), *media) == 0
        assert second.read_bytes() == first.read_bytes()


def test_a_path_below_the_working_folder_is_kept_as_it_is_called_from_there(
    photo, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    moved = photo.rename(tmp_path / "in" / "photo.png")
    out = tmp_path / "a.json"
    assert figure(moved, *outs(out)) == 0
    (reference,) = recipe_json.loads(out.read_bytes()).references
    assert reference.medium.path == "in/photo.png"
    assert render(out, *outs(tmp_path / "a.png")) == 0


def test_a_changed_picture_is_named_with_both_hashes(photo, made, tmp_path, capsys):
    before = footage.load(photo).sha256
    Image.fromarray(draw(80, 97)[0]).save(photo)
    assert render(made, *outs(tmp_path / "a.png")) == 2
    told = refusal(capsys)
    assert before[:12] in told
    assert footage.load(photo).sha256[:12] in told
    assert not (tmp_path / "a.png").exists()


def test_a_network_is_mapped_and_another_one_refused_with_both_hashes(made, tmp_path, capsys):
    text = made.read_text().replace('"id": "cgnl"', '"id": "old=1"')
    made.write_text(text)
    for option in ("--network", "--model"):
        assert render(made, *outs(tmp_path / "a.png"), option, "old=1=cgnl") == 0
    capsys.readouterr()
    assert render(made, *outs(tmp_path / "b.png"), "--network", "old=1=nl") == 2
    told = refusal(capsys)
    assert b"cgnl".hex() in told
    assert b"nl".hex() in told


@pytest.mark.parametrize("text", ["lost.png=new.png", "gone.png", "=", "=a", "a="])
@pytest.mark.parametrize("option", ["--media", "--network"])
def test_what_the_recipe_does_not_name_cannot_be_mapped(made, tmp_path, capsys, option, text):
    assert render(made, *outs(tmp_path / "a.png"), option, text) == 2
    assert "or OLD=NEW, OLD as in the recipe: " in refusal(capsys)


def test_versions_that_differ_are_told(made, tmp_path, capsys):
    content = json.loads(made.read_text())
    assert content["versions"] == recipe.here()
    content["versions"] |= {"torch": "1.0", "gone": "3"}
    made.write_text(json.dumps(content))
    assert render(made, *outs(tmp_path / "a.json")) == 0
    here = recipe.here()["torch"]
    told = capsys.readouterr().out.splitlines()[0]
    assert told == (
        f"made with torch 1.0 (here {here}), gone 3 (here none): maps agree to 1e-5, bytes may "
        "differ"
    )
    assert recipe_json.loads((tmp_path / "a.json").read_bytes()).versions["torch"] == "1.0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "nonlocal-viz-figure/9"}, "version 9"),
        ({"format": "other"}, "is of format"),
        ({"colour": 1}, "colour is not known"),
        ({"preset": "pie"}, "preset is 'pie'; "),
        ({"references": []}, "references"),
        ({"layout": {"dpi": "300"}}, "layout.dpi is '300'; "),
        ({"look": {"threshold": float("nan")}}, "NaN"),
        ({"layout": {"row_labels": ["x" * 10_000]}}, "layout.row_labels[0]"),
    ],
)
def test_a_bad_recipe_is_one_line_and_writes_nothing(made, tmp_path, capsys, change, words):
    made.write_text(json.dumps(json.loads(made.read_text()) | change))
    assert render(made, *outs(tmp_path / "a.png")) == 2
    assert words in refusal(capsys)
    assert not (tmp_path / "a.png").exists()


def test_ten_thousand_panels_are_refused_before_anything_runs(made, tmp_path, capsys, networks):
    content = json.loads(made.read_text())
    for view in content["references"][0]["views"]:
        view["count"] = 64
    content["references"] *= 64
    made.write_text(json.dumps(content))
    networks.clear()
    assert render(made, *outs(tmp_path / "a.png")) == 2
    assert "panels" in refusal(capsys)
    assert networks == {}


def test_what_holds_no_recipe_is_refused(photo, tmp_path, capsys):
    text = tmp_path / "a.pdf"
    text.write_text("not a figure")
    for path in (photo, text, tmp_path / "none.json", tmp_path):
        assert render(path, *outs(tmp_path / "b.png")) == 2
        refusal(capsys)
    assert not (tmp_path / "b.png").exists()
