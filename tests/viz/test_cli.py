"""The command line: its files, its numbers and its refusals."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import viz
from errors import MachineError
from models import cache, catalogue
from models.block_specs import CGNLSpec
from models.published import PUBLISHED
from tests.conftest import assert_one_line, make_tiny
from tests.models.test_catalogue import cgnl_state
from viz import cli, cli_models


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    path = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 255, (97, 131, 3), dtype=np.uint8)).save(path)
    return path


def maps(photo: Path, out: Path, *more: str, model: str = "r50n-cgnl", at: str = "60,40") -> int:
    return cli.main(
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


def test_models_lists_every_network_with_its_cost_and_whether_it_is_here(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert cli.main(["models"]) == 0
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines() if line}
    for name in ("r50n", "r50n-nl", "r50n-cgnl", "imagenet-r50", *(row.id for row in PUBLISHED)):
        assert name in lines
    assert "25.6M" in lines["imagenet-r50"]  # torchvision's count for ResNet-50
    assert "87.06 / 96.91" in lines["cgnl-cub-r50-cgnl"]
    assert "first use" in lines["cgnl-cub-r50-cgnl"]
    assert "bundled" in lines["r50n-nl"]
    assert str(tmp_path) in printed
    assert "not supported: COCO Mask R-CNN" in printed


@pytest.fixture
def undecided(tmp_path):
    """A checkpoint that does not tell cgnl from cgnlx."""
    path = tmp_path / "model_best.pth.tar"
    torch.save({"state_dict": cgnl_state(make_tiny(CGNLSpec(groups=8))), "epoch": 3}, path)
    return path


def test_inspect_prints_family_facts_blocks_sizes_and_keys(undecided, capsys):
    assert cli.main(["inspect", str(undecided), "--set", "kernel=cgnlx"]) == 0
    printed = capsys.readouterr().out
    for words in (
        "CGNL authors",
        "torch zip",
        "cgnlx  (your answer)",
        "res4.4  CGNL, gaussian rbf, 8 groups",
        "128 channels, 64 inner, group norm",
        "GMACs",
        "273 mapped, 53 ignored",
    ):
        assert words in printed
    assert " -> " not in printed
    assert cli.main(["inspect", str(undecided), "--set", "kernel=cgnlx", "--keys"]) == 0
    printed = capsys.readouterr().out
    assert ".weight -> blocks.res4_4.projection.theta.weight" in printed
    assert "num_batches_tracked: ignored" in printed


def test_inspect_knows_bundled_networks_by_name(capsys):
    assert cli.main(["inspect", "r50n-nl"]) == 0
    assert "res4.4  NL, embedded gaussian" in capsys.readouterr().out


def test_open_questions_are_listed_with_the_way_to_answer_them(undecided, capsys):
    assert cli.main(["inspect", str(undecided)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    first, *asked = printed.err.splitlines()
    assert "does not tell everything" in first
    assert [line.split("    ")[0] for line in asked] == ["  --set kernel=cgnl | cgnlx"]


def test_answers_come_from_a_file_and_the_command_line_overrules_it(undecided, tmp_path, capsys):
    spec = tmp_path / "answers.json"
    spec.write_text('{"kernel": "cgnl", "frames": 8}')
    assert cli.main(["inspect", str(undecided), "--spec", str(spec)]) == 0
    assert "CGNL, dot product" in capsys.readouterr().out
    told = ["--spec", str(spec), "--set", "kernel=cgnlx"]
    assert cli.main(["inspect", str(undecided), *told]) == 0
    assert "gaussian rbf" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kernel=nope", "use one of cgnl, cgnlx"),
        ("kernel", "NAME=VALUE"),
        ("=cgnl", "NAME=VALUE"),
        ("kernel=", "NAME=VALUE"),
    ],
)
def test_a_wrong_answer_is_one_line(undecided, capsys, text, words):
    assert cli.main(["inspect", str(undecided), "--set", text]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert words in printed.err


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": [1]}', "[" * 10_000, "x" * 70_000])
def test_a_wrong_answers_file_is_one_line(undecided, tmp_path, capsys, content):
    spec = tmp_path / "answers.json"
    spec.write_text(content)
    assert cli.main(["inspect", str(undecided), "--spec", str(spec)]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "answers" in printed.err


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"weights?" * 40])
def test_what_is_no_checkpoint_is_refused_with_exit_code_2(tmp_path, capsys, content):
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    assert cli.main(["inspect", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["inspect", str(tmp_path / "none.pth")]) == 2


def test_a_published_network_that_cannot_be_fetched_is_one_line(capsys, monkeypatch):
    def fails(row, _progress):
        raise MachineError(f"{row.id} could not be downloaded: there is no connection.")

    monkeypatch.setattr(catalogue, "fetch", fails)
    assert cli.main(["inspect", "gluon-i3d-nl5-r50"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_maps_takes_a_foreign_checkpoint_with_answers(photo, undecided, tmp_path, capsys):
    out = tmp_path / "o"
    assert maps(photo, out, model=str(undecided)) == 2
    assert "--set kernel=" in capsys.readouterr().err
    assert not out.exists()
    assert maps(photo, out, "--set", "kernel=cgnl", model=str(undecided)) == 0
    assert (out / "maps.npz").exists()


def test_progress_is_one_moving_line_where_somebody_can_see_it(capsys, monkeypatch):
    show = cli_models.show_progress("net")
    show(10, 20)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(cli_models.sys.stderr, "isatty", lambda: True)
    show(5_000_000, 20_000_000)
    show(5_000_001, 20_000_000)
    show(20_000_000, 20_000_000)
    assert capsys.readouterr().err == "\rnet: 5.0 of 20.0 MB\rnet: 20.0 of 20.0 MB\n"


def test_a_refusal_with_open_questions_is_one_line_first(undecided):
    with pytest.raises(cli_models.OpenQuestionsError) as caught:
        cli_models.inspect(cli.parser().parse_args(["inspect", str(undecided)]))
    assert_one_line(caught.value)


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
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["media"]["width"] == 131
    assert recipe["networks"][0]["model"] == "r50n-cgnl"
    assert len(recipe["networks"][0]["sha256"]) == 64


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
        cli.main(["maps", "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert "python -m viz maps" in readme
    assert "python -m viz models" in readme
    for option in ("--at", "--channels", "--block", "--threshold", "--out"):
        assert option in shown


def test_saved_pictures_open(photo, tmp_path):
    maps(photo, tmp_path / "o", model="r50n-nl")
    with Image.open(io.BytesIO((tmp_path / "o" / "photo-NL.png").read_bytes())) as picture:
        assert picture.width >= 131
