"""What ``figure`` refuses: one line each, and nothing is written."""

import os
from pathlib import Path

import pytest

from errors import OutsideError
from tests.viz.cli.figure.conftest import figure, outs, refusal
from viz.cli import main
from viz.figure.files import export

pytestmark = pytest.mark.slow


def test_a_photo_gives_no_movie(photo, tmp_path, capsys):
    assert figure(photo, *outs(tmp_path / "a.png", tmp_path / "a.mp4")) == 2
    refusal(capsys)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--at", "3,x"], "two numbers"),
        (["--at", "1,1"], "2 references do not fit 1 input;"),
        (["--out", "b.bmp"], "b.bmp has no known ending; give .json"),
        (["--out", "b"], "--out b has no known ending; give .json"),
        (["--width", "wide"], "cvpr-column"),
        (["--width", "3"], "layout.width_mm is 3.0; "),
        (["--dpi", "9"], "layout.dpi is 9; "),
        (["--gap", "nan"], "layout.gap_mm"),
        (["--font-size", "-1"], "layout.font_pt"),
        (["--row-label", "x" * 10_000], "layout.row_labels[0]"),
        (["--threshold", "1.5"], "give 0 to 1"),
        (["--range", "0,1"], "go together"),
        (["--arrows", "9999"], "0 to 200"),
        (["--frame", "1"], "has one frame, 0"),
        (["--frames", "4"], "--frames does not go with a single picture"),
        (["--size", "7"], "Size 7 is out of range; give 16 to 1344"),
        (["--count", "0"], "views[0].count is 0; "),
        (
            ["--count", "1", "--count", "2", "--count", "3"],
            "values of count do not fit 2 networks",
        ),
        (["--shown", "best"], "'best' is not a map; write channel 1"),
        (["--channels", "<b>"], "use auto"),
        (["--block", "res9.9"], "it has res4.4"),
        (["--model", "nothing"], "use one of nl"),
        (["--model", "plain"], "needs networks with attention blocks"),
        (["--truth", "none.csv"], "none.csv could not be read"),
        (["--set", "kernel"], "NAME=VALUE"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(
    photo, tmp_path, monkeypatch, capsys, change, words
):
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert figure(photo, *outs(folder / "a.png"), *change) == 2
    assert words in refusal(capsys)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("preset", "more", "words"),
    [
        ("parts", [], "--at is missing; parts shows"),
        ("arrows", ["--at", "500,400"], "Choose a point inside"),
        ("gates", [], "gate"),
    ],
)
def test_what_a_preset_needs_is_said(photo, tmp_path, capsys, preset, more, words):
    out = tmp_path / "a.png"
    assert main.main(["figure", preset, str(photo), "--model", "nl", *more, *outs(out)]) == 2
    assert words in refusal(capsys)
    assert not out.exists()


@pytest.mark.parametrize("kind", ["png", "json"])
def test_a_folder_that_is_missing_or_a_file_is_refused(photo, tmp_path, capsys, kind):
    (tmp_path / "taken").write_text("mine")
    for place in (tmp_path / "none" / f"a.{kind}", tmp_path / "taken" / f"a.{kind}"):
        assert figure(photo, *outs(place)) == 2
        assert "was not saved" in refusal(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.png", "taken"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(photo, tmp_path, capsys):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert figure(photo, *outs(folder / "a.png")) == 2
    assert "was not saved" in refusal(capsys)


def test_a_full_disk_leaves_nothing_and_what_was_there_before(photo, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_text("before")

    def fill_the_disk(path: Path, content: bytes) -> int:
        with path.open("wb") as opened:
            opened.write(content[:9])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    assert figure(photo, *outs(folder / "a.png")) == 2
    assert "was not saved" in refusal(capsys)
    assert [path.name for path in folder.iterdir()] == ["a.png"]
    assert (folder / "a.png").read_text() == "before"


def test_nothing_is_written_before_everything_is_drawn(photo, tmp_path, capsys, monkeypatch):
    real = export.write

    def write(drawing, kind, dpi, text):
        if kind == "svg":
            raise OutsideError("No.")
        return real(drawing, kind, dpi, text)

    monkeypatch.setattr(export, "write", write)
    assert figure(photo, *outs(tmp_path / "a.png", tmp_path / "a.svg")) == 2
    refusal(capsys)
    assert not (tmp_path / "a.png").exists()
