"""``models`` and ``inspect``, and the answers that a checkpoint needs."""

import numpy as np
import pytest
import torch
from PIL import Image

import viz
from errors import CheckpointError, MachineError
from models.specs.block import CGNLSpec
from models.zoo import cache, catalogue
from models.zoo.published import PUBLISHED
from tests.conftest import assert_one_line, make_tiny
from tests.models.zoo.test_catalogue import cgnl_state
from viz.cli import main
from viz.cli import models as models_command


def test_models_lists_every_network_with_its_cost_and_whether_it_is_here(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert main.main(["models"]) == 0
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines() if line}
    for name in ("e2-birds", "e2-nl", "e2-cgnl", "imagenet-r50", *(row.id for row in PUBLISHED)):
        assert name in lines
    assert "25.6M" in lines["imagenet-r50"]  # torchvision's count for ResNet-50
    assert "87.06 / 96.91" in lines["cgnl-cub-r50-cgnl"]
    assert "first use" in lines["cgnl-cub-r50-cgnl"]
    assert "bundled" in lines["e2-nl"]
    assert str(tmp_path) in printed
    assert "not supported: Cascade Mask R-CNN" in printed


@pytest.fixture
def undecided(tmp_path):
    """A checkpoint that does not tell cgnl from cgnlx."""
    path = tmp_path / "model_best.pth.tar"
    torch.save({"state_dict": cgnl_state(make_tiny(CGNLSpec(groups=8))), "epoch": 3}, path)
    return path


def test_inspect_prints_family_facts_blocks_sizes_and_keys(undecided, capsys):
    assert main.main(["inspect", str(undecided), "--set", "kernel=cgnlx"]) == 0
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
    assert main.main(["inspect", str(undecided), "--set", "kernel=cgnlx", "--keys"]) == 0
    printed = capsys.readouterr().out
    assert ".weight -> blocks.res4_4.projection.theta.weight" in printed
    assert "num_batches_tracked: ignored" in printed


def test_inspect_knows_bundled_networks_by_name(capsys):
    assert main.main(["inspect", "e2-nl"]) == 0
    assert "unit14  NL, dot product" in capsys.readouterr().out


def test_open_questions_are_listed_with_the_way_to_answer_them(undecided, capsys):
    assert main.main(["inspect", str(undecided)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    first, *asked = printed.err.splitlines()
    assert "leaves a question open" in first
    assert [line.split("    ")[0] for line in asked] == ["  --set kernel=cgnl | cgnlx"]


def test_answers_come_from_a_file_and_the_command_line_overrules_it(undecided, tmp_path, capsys):
    spec = tmp_path / "answers.json"
    spec.write_text('{"kernel": "cgnl", "input_size": 128}')
    assert main.main(["inspect", str(undecided), "--spec", str(spec)]) == 0
    assert "CGNL, dot product" in capsys.readouterr().out
    told = ["--spec", str(spec), "--set", "kernel=cgnlx"]
    assert main.main(["inspect", str(undecided), *told]) == 0
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
    assert main.main(["inspect", str(undecided), "--set", text]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert words in printed.err


@pytest.mark.parametrize(
    ("answer", "taken"),
    [("funtion=dot_product", "kernel, class_names, input_size"), ("frames=8", "kernel")],
)
def test_an_answer_that_nobody_asked_for_is_one_line_with_those_that_are(
    undecided, capsys, answer, taken
):
    asked = ["inspect", str(undecided), "--set", "kernel=cgnl", "--set", answer]
    assert main.main(asked) == 2
    printed = capsys.readouterr().err
    assert f"--set {answer.partition('=')[0]} is nothing" in printed
    assert f"model_best.pth.tar takes {taken}" in printed
    assert printed.count("\n") == 1


def test_an_answer_to_a_bundled_network_is_refused(capsys):
    assert main.main(["inspect", "e2-nl", "--set", "function=dot_product"]) == 2
    assert "e2-nl takes no answers" in capsys.readouterr().err


def test_answers_of_python_are_checked_too(undecided, one_line):
    with pytest.raises(CheckpointError, match="funtion is nothing that can be answered") as caught:
        viz.load(str(undecided), {"kernel": "cgnl", "funtion": "x"})
    one_line(caught.value)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("command", ["maps", "figure"])
def test_what_a_name_decides_is_printed_and_class_names_are_given(tmp_path, capsys, command):
    model = make_tiny(CGNLSpec(groups=8))
    path, photo, names = tmp_path / "r50_cgnlx.pth", tmp_path / "photo.png", tmp_path / "names.txt"
    torch.save({"state_dict": cgnl_state(model)}, path)
    Image.fromarray(np.full((97, 131, 3), 90, np.uint8)).save(photo)
    names.write_text("\n".join(f"gull {k}" for k in range(model.spec.num_classes)))
    asked = {
        "maps": ["maps", str(photo), "--at", "60,40", "--out", str(tmp_path / "o")],
        "figure": [
            "figure",
            "parts",
            str(photo),
            "--at",
            "60,40",
            "--out",
            str(tmp_path / "f.png"),
        ],
    }[command]
    asked += ["--model", str(path), "--size", "128", "--classes", str(names)]
    assert main.main(asked) == 0
    printed = capsys.readouterr().out
    assert "kernel cgnlx, from file name; else --set kernel=cgnl" in printed
    assert command == "figure" or "gull" in printed
    names.write_text("only one")
    assert main.main(asked) == 2
    assert "The list has 1 name" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["birds", "/", "latin.txt", "cub200"])
def test_wrong_class_names_are_one_line(undecided, tmp_path, capsys, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latin.txt").write_bytes(b"m\xf6we\n")
    asked = ["inspect", str(undecided), "--set", "kernel=cgnl", "--classes", given]
    assert main.main(asked) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": [1]}', "[" * 10_000, "x" * 70_000])
def test_a_wrong_answers_file_is_one_line(undecided, tmp_path, capsys, content):
    spec = tmp_path / "answers.json"
    spec.write_text(content)
    assert main.main(["inspect", str(undecided), "--spec", str(spec)]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "answers" in printed.err


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"weights?" * 40])
def test_what_is_no_checkpoint_is_refused_with_exit_code_2(tmp_path, capsys, content):
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    assert main.main(["inspect", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main.main(["inspect", str(tmp_path / "none.pth")]) == 2


def test_a_published_network_that_cannot_be_fetched_is_one_line(capsys, monkeypatch):
    def fails(row, _progress):
        raise MachineError(f"{row.id} could not be downloaded: there is no connection.")

    monkeypatch.setattr(catalogue, "fetch", fails)
    assert main.main(["inspect", "gluon-i3d-nl5-r50"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("small_pages")
def test_maps_takes_a_foreign_checkpoint_with_answers(undecided, tmp_path, capsys):
    photo, out = tmp_path / "photo.png", tmp_path / "o"
    Image.fromarray(np.full((97, 131, 3), 90, np.uint8)).save(photo)
    asked = ["maps", str(photo), "--at", "60,40", "--size", "128", "--out", str(out)]
    asked += ["--model", str(undecided)]
    assert main.main(asked) == 2
    assert "--set kernel=" in capsys.readouterr().err
    assert not out.exists()
    assert main.main([*asked, "--set", "kernel=cgnl"]) == 0
    assert (out / "maps.npz").exists()


def test_progress_is_one_moving_line_where_somebody_can_see_it(capsys, monkeypatch):
    show = models_command.show_progress("net")
    show(10, 20)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(models_command.sys.stderr, "isatty", lambda: True)
    show(5_000_000, 20_000_000)
    show(5_000_001, 20_000_000)
    show(20_000_000, 20_000_000)
    assert capsys.readouterr().err == "\rnet: 5.0 of 20.0 MB\rnet: 20.0 of 20.0 MB\n"


def test_a_refusal_with_open_questions_is_one_line_first(undecided):
    with pytest.raises(models_command.OpenQuestionsError) as caught:
        models_command.inspect(main.parser().parse_args(["inspect", str(undecided)]))
    assert_one_line(caught.value)
