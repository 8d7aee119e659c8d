"""``maps`` on a picture: its files, its numbers and its refusals."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import viz
from tests.paths import ROOT
from viz.cli import main
from viz.figure.recipe import recipe_json


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    path = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 255, (97, 131, 3), dtype=np.uint8)).save(path)
    return path


def maps(photo: Path, out: Path, *more: str, model: str = "r50n-cgnl", at: str = "60,40") -> int:
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
    assert sorted(p.name for p in out.iterdir()) == [
        "maps.npz",
        "photo-c0.png",
        "photo-c17.png",
        "photo-c3.png",
        "recipe.json",
    ]
    arrays = np.load(out / "maps.npz", allow_pickle=False)
    capture = viz.capture(viz.load("r50n-cgnl"), photo, size=128)
    expected = viz.channel_maps(capture, at=(60, 40), channels=[0, 3, 17])
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
    assert (reference.medium.path, reference.at) == (str(photo), (60.0, 40.0))
    assert (view.network.id, view.channels, view.size) == ("r50n-cgnl", "3,0,17", 128)
    assert (len(view.network.sha256), len(reference.medium.sha256)) == (64, 64)
    assert found.look.threshold == 0.25
    drawn = tmp_path / "again.svg"
    assert main.main(["render", str(tmp_path / "recipe.json"), "--out", str(drawn)]) == 0
    assert ">c3<" in drawn.read_text()


def test_an_nl_network_gives_one_row_that_sums_to_one(photo, tmp_path):
    assert maps(photo, tmp_path / "o", model="r50n-nl") == 0
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
        (["--model", "r50n"], "no attention block"),
        (["--block", "res9.9"], "has res4.4"),
        (["--channels", "9999"], "channels 0 to"),
        (["--channels", "<b>"], "use auto"),
        (["--frame", "2"], "frames 0 to 0"),
        (["--threshold", "2"], "from 0 to 1"),
        (["--threshold", "nan"], "from 0 to 1"),
        (["--size", "9"], "pixels"),
        (["--normalise", "fixed"], "go together"),
        (["--normalise", "fixed", "--range", "3,1"], "below"),
        (["--channels", "class evidence"], "class"),
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_writes_nothing(photo, tmp_path, capsys, change, words):
    out = tmp_path / "o"
    assert maps(photo, out, *change) == 2
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
    assert list((tmp_path / "o").iterdir()) == []


def test_every_option_is_in_the_readme_or_the_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main.main(["maps", "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    readme = (ROOT / "README.md").read_text()
    assert "python -m viz maps" in readme
    assert "python -m viz models" in readme
    for option in ("--at", "--channels", "--block", "--threshold", "--out"):
        assert option in shown


def test_saved_pictures_open(photo, tmp_path):
    maps(photo, tmp_path / "o", model="r50n-nl")
    with Image.open(io.BytesIO((tmp_path / "o" / "photo-NL.png").read_bytes())) as picture:
        assert picture.width >= 131
