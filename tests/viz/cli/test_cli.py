"""``maps`` on a picture: its files, its numbers and its refusals."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import viz
import viz.figure
from viz.attention.choice import MapChoice
from viz.cli import main
from viz.figure.recipe import recipe_json

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_pages", "bundled_once")]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    path = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 255, (97, 131, 3), dtype=np.uint8)).save(path)
    return path


def maps(photo: Path, out: Path, *more: str, model: str = "e2-cgnl", at: str = "60,40") -> int:
    return main.main(
        [
            "maps",
            str(photo),
            "--model",
            model,
            "--at",
            at,
            "--size",
            "128",
            "--out",
            str(out),
            *more,
        ]
    )


def test_maps_writes_pictures_arrays_and_a_recipe_with_the_numbers_of_the_python_call(
    photo, tmp_path
):
    out = tmp_path / "new" / "folder"
    assert maps(photo, out, "--channels", "0,3,17") == 0
    assert sorted(p.name for p in (out / "heat").iterdir()) == [
        "photo-c0.png",
        "photo-c17.png",
        "photo-c3.png",
    ]
    assert sorted(p.name for p in out.iterdir()) == [
        "heat",
        "maps.npz",
        "photo-c0.png",
        "photo-c17.png",
        "photo-c3.png",
        "recipe.json",
    ]
    arrays = np.load(out / "maps.npz", allow_pickle=False)
    capture = viz.capture(viz.load("e2-cgnl"), photo, size=128)
    expected = viz.maps(capture, at=(60, 40), choose=[0, 3, 17])
    assert arrays["labels"].tolist() == ["c0", "c3", "c17"]
    assert arrays["values"].dtype == np.float32
    for got, wanted in zip(arrays["values"], expected, strict=True):
        np.testing.assert_allclose(got, wanted.values, rtol=1e-5, atol=1e-6)


def test_the_recipe_of_maps_is_drawn_by_render(photo, tmp_path):
    assert maps(photo, tmp_path, "--channels", "3,0,17", "--threshold", "0.25") == 0
    text = (tmp_path / "recipe.json").read_bytes()
    found = recipe_json.loads(text)
    (reference,) = found.references
    (view,) = reference.views
    assert (reference.medium.path, reference.at) == (photo.name, (60.0, 40.0))
    assert (view.network.id, view.maps, view.size) == ("e2-cgnl", "3,0,17", 128)
    assert view.shown == MapChoice("channel", 3)
    assert found.preset == "view"
    assert (len(view.network.sha256), len(reference.medium.sha256)) == (64, 64)
    assert found.look.threshold == 0.25
    drawn = tmp_path / "again.svg"
    assert main.main(["render", str(tmp_path / "recipe.json"), "--out", str(drawn)]) == 0
    assert ">c3, reference row " in drawn.read_text()


def test_an_nl_network_gives_one_row_that_sums_to_one(photo, tmp_path):
    assert maps(photo, tmp_path / "o", model="e2-nl-softmax") == 0
    values = np.load(tmp_path / "o" / "maps.npz", allow_pickle=False)["values"]
    assert values.shape[0] == 1
    assert values.sum() == pytest.approx(1, abs=1e-5)
    assert (tmp_path / "o" / "photo-NL.png").exists()


def test_the_same_command_gives_the_same_bytes(photo, tmp_path):
    for name in ("a", "b"):
        assert maps(photo, tmp_path / name, "--channels", "groups") == 0
    first = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir() if p.suffix == ".png"}
    assert len(first) == 8
    assert first == {
        p.name: p.read_bytes() for p in (tmp_path / "b").iterdir() if p.suffix == ".png"
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--at", "500,40"], "Choose a point inside"),
        (["--at", "x"], "two numbers"),
        (["--at", "nan,3"], "two numbers"),
        (["--model", "nothing"], "use one of"),
        (["--block", "res9.9"], "it has unit14"),
        (["--channels", "9999"], "channels 0 to"),
        (["--maps", "9999"], "channels 0 to"),
        (["--channels", "<b>"], "use auto"),
        (["--maps", "<b>"], "use auto"),
        (["--frame", "2"], "2 is not a frame of"),
        (["--threshold", "2"], "give 0 to 1"),
        (["--threshold", "nan"], "give 0 to 1"),
        (["--size", "9"], "pixels"),
        (["--normalise", "fixed"], "go together"),
        (["--normalise", "fixed", "--range", "3,1"], "below"),
        (["--channels", "class evidence"], "class"),
        (
            ["--kind", "nope"],
            "kind is 'nope'; use one of affinity, channels, context, heads, features",
        ),
        (["--kind", "affinity"], "'affinity' is not a map of block unit14; use channels, features"),
        (["--kind", "gates"], "'gates' is not a map of block unit14"),
        (["--kind", "class maps", "--maps", "9999"], "classes 0 to"),
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_writes_nothing(photo, tmp_path, capsys, change, words):
    out = tmp_path / "o"
    at = {"at": change[1]} if change[0] == "--at" else {}
    assert maps(photo, out, *([] if at else change), **at) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert words in printed.err
    assert not out.exists()


def test_a_missing_picture_and_a_text_file_are_refused(tmp_path, capsys):
    text = tmp_path / "a.png"
    text.write_text("not a picture")
    for path in (tmp_path / "none.png", text):
        assert maps(path, tmp_path / "o") == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_an_output_folder_that_is_a_file_is_refused_and_left_alone(photo, tmp_path, capsys):
    out = tmp_path / "taken"
    out.write_text("mine")
    assert maps(photo, out) == 2
    assert "could not be written" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_failing_write_leaves_no_half_result(photo, tmp_path, monkeypatch):
    real = Path.write_bytes

    def fill_the_disk(path: Path, content: bytes) -> int:
        if path.suffix == ".npz":
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    assert maps(photo, tmp_path / "o") == 2
    assert not (tmp_path / "o").exists()


def renders_again(folder: Path, first: str, out: str = "again.png") -> bool:
    """Say whether the recipe draws the file of that name again, byte for byte."""
    again = folder / out
    assert main.main(["render", str(folder / "recipe.json"), "--out", str(again)]) == 0
    return again.read_bytes() == (folder / first).read_bytes()


@pytest.mark.parametrize(
    ("model", "how", "first"),
    [
        ("e2-nl", [], "photo-NL.png"),
        ("e2-nl", ["--arrows", "5", "--interpolation", "nearest"], "photo-NL.png"),
        ("e2-cgnl", ["--maps", "17,3"], "photo-c17.png"),
        ("e2-cgnl", ["--maps", "groups", "--threshold", "0.3"], "photo-g0.png"),
        ("e2-cgnl", ["--kind", "features"], "photo-cosine.png"),
        ("e2-nl", ["--kind", "class maps", "--maps", "2,0"], "photo-class-2.png"),
    ],
)
def test_the_first_picture_is_the_one_that_the_recipe_renders(photo, tmp_path, model, how, first):
    assert maps(photo, tmp_path, *how, model=model) == 0
    assert renders_again(tmp_path, first)
    for path in tmp_path.glob("photo-*.png"):
        again = tmp_path / f"again-{path.name}"
        assert main.main(["render", str(path), "--out", str(again)]) == 0
        assert again.read_bytes() == path.read_bytes(), path.name


def test_the_best_of_a_ranking_is_the_one_that_the_recipe_renders(photo, tmp_path):
    assert maps(photo, tmp_path, "--maps", "response") == 0
    labels = np.load(tmp_path / "maps.npz", allow_pickle=False)["labels"].tolist()
    assert len(labels) == 5
    assert {path.name for path in tmp_path.glob("photo-c*.png")} == {
        f"photo-{label}.png" for label in labels
    }
    assert renders_again(tmp_path, f"photo-{labels[0]}.png")


def test_the_picture_is_that_of_the_python_call(photo, tmp_path):
    assert maps(photo, tmp_path, "--threshold", "0.4", model="e2-nl") == 0
    made = viz.figure.view(str(photo), "e2-nl", (60, 40), size=128, threshold=0.4)
    assert made.content("png") == (tmp_path / "photo-NL.png").read_bytes()


@pytest.mark.parametrize(("kind", "label"), [("features", "cosine"), ("class maps", "class 3")])
def test_other_kinds_of_maps_are_written_with_the_numbers_of_python(photo, tmp_path, kind, label):
    more = ["--maps", "3"] if kind == "class maps" else []
    assert maps(photo, tmp_path, "--kind", kind, *more) == 0
    arrays = np.load(tmp_path / "maps.npz", allow_pickle=False)
    assert arrays["labels"].tolist() == [label]
    capture = viz.capture(viz.load("e2-cgnl"), photo, size=128)
    if kind == "features":
        expected = viz.row(capture, at=(60, 40), kind=kind)
    else:
        (expected,) = viz.maps(capture, at=(60, 40), choose=[3], kind=kind)
    np.testing.assert_allclose(arrays["values"][0], expected.values, rtol=1e-4, atol=1e-6)


def test_an_example_is_an_input_too(tmp_path):
    out = tmp_path / "o"
    asked = ["maps", "example:bird", "--model", "e2-nl", "--at", "215,120", "--size", "96"]
    assert main.main([*asked, "--out", str(out)]) == 0
    # No colon, which some systems do not have in names.
    assert sorted(path.name for path in out.iterdir()) == [
        "example-bird-NL.png", "heat", "maps.npz", "recipe.json"
    ]  # fmt: skip
    assert renders_again(out, "example-bird-NL.png")


@pytest.fixture
def several(photo, tmp_path) -> list[str]:
    other = tmp_path / "other" / "photo.png"
    other.parent.mkdir()
    other.write_bytes(photo.read_bytes())
    return [str(photo), "example:bird", str(other)]


def test_several_inputs_have_a_folder_each_with_what_one_alone_has(several, tmp_path):
    out, alone = tmp_path / "o", tmp_path / "alone"
    asked = ["--model", "e2-nl", "--size", "96"]
    at = ["--at", "60,40", "--at", "215,120", "--at", "30,40"]
    assert main.main(["maps", *several, *asked, *at, "--out", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["example-bird", "photo", "photo-2"]
    assert main.main(["maps", several[1], *asked, *at[2:4], "--out", str(alone)]) == 0
    for name in ("example-bird-NL.png", "heat/example-bird-NL.png", "recipe.json"):
        assert (out / "example-bird" / name).read_bytes() == (alone / name).read_bytes()
    first, third = (np.load(out / name / "maps.npz")["pixel"] for name in ("photo", "photo-2"))
    assert first[0] > third[0]


def test_references_that_do_not_fit_the_inputs_are_refused(several, tmp_path, capsys):
    at = ["--at", "60,40", "--at", "30,40"]
    asked = ["maps", *several, "--model", "e2-nl", *at, "--out", str(tmp_path / "o")]
    assert main.main(asked) == 2
    assert "2 references do not fit 3 inputs" in capsys.readouterr().err


def test_the_heat_alone_lies_over_the_photo(photo, tmp_path):
    assert maps(photo, tmp_path, "--threshold", "0.4", model="e2-nl") == 0
    with Image.open(tmp_path / "heat" / "photo-NL.png") as picture:
        assert (picture.mode, picture.size) == ("RGBA", (131, 97))
        heat = np.asarray(picture)
    values = np.load(tmp_path / "maps.npz")["values"][0, 0]
    row, column = np.unravel_index(values.argmax(), values.shape)
    y, x = (int((k + 0.5) * full / n) for k, full, n in
            zip((row, column), (97, 131), values.shape, strict=True))  # fmt: skip
    assert heat[y, x, 3] == heat[..., 3].max() > 0
    shown = heat[..., 3] > 0
    assert 0 < shown.mean() < 1
    assert (heat[~shown] == 0).all()


def test_a_deep_picture_is_shown_and_what_was_assumed_is_said(tmp_path, capsys):
    path = tmp_path / "deep.png"
    Image.fromarray(np.linspace(0, 4095, 97 * 131).astype(np.uint16).reshape(97, 131)).save(path)
    assert maps(path, tmp_path / "a", model="e2-nl") == 0
    assert "note: deep.png: 16-bit values up to 4095, taken as 12 bits" in capsys.readouterr().out
    assert maps(path, tmp_path / "b", "--levels", "0,65535", model="e2-nl") == 0
    assert "shown from 0 to 65535, as asked" in capsys.readouterr().out
    assert recipe_json.loads((tmp_path / "b" / "recipe.json").read_bytes()).references[
        0
    ].medium.levels == (0, 65535)
    assert renders_again(tmp_path / "b", "deep-NL.png")
    dark, light = (np.load(tmp_path / name / "maps.npz")["values"] for name in "ba")
    assert not np.allclose(dark, light)


@pytest.mark.parametrize("levels", ["5", "9,2", "a,b", "0,inf"])
def test_levels_that_are_none_are_refused(photo, tmp_path, capsys, levels):
    assert maps(photo, tmp_path / "o", "--levels", levels, model="e2-nl") == 2
    assert capsys.readouterr().err.count("\n") == 1
