"""Pipes, full disks, interrupts and names that are no text: one line, and the right exit code."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.paths import ROOT
from viz.cli import main

MODELS = [sys.executable, "-m", "viz", "models"]
pytestmark = [
    pytest.mark.usefixtures("small_pages"),
    pytest.mark.skipif(os.name == "nt", reason="pipes and signals of POSIX"),
]


def shell(line, **environment):
    """Run a line of bash in the repository; $VIZ is the program."""
    known = os.environ | {"VIZ": f"{sys.executable} -m viz"} | environment
    asked = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(asked, cwd=ROOT, env=known, capture_output=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "start"), [("models", b"id "), ("--help", b"usage: ")])
def test_a_reader_that_goes_away_is_no_error(what, start):
    done = shell(f"$VIZ {what} | head -c 9")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(start)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["models", "--help"])
def test_a_full_disk_behind_the_output_is_one_line(what):
    done = shell(f"$VIZ {what} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left" in done.stderr


@pytest.mark.slow
def test_a_full_disk_behind_the_errors_keeps_the_exit_code():
    assert shell("$VIZ maps nothing.png --model x --at 1,1 --out o 2> /dev/full").returncode == 2


@pytest.mark.slow
def test_letters_that_the_output_lacks_are_spelled_out():
    done = shell("$VIZ inspect Würger-鳥.pth", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 2
    assert b"\\u9ce5" in done.stderr
    assert done.stderr.isascii()


INTERRUPTED_IMPORT = """
import os, runpy, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
name = sys.argv.pop(1)

class Interrupting:
    def find_spec(self, wanted, *_more):
        if wanted == name:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                pass  # as compiled modules do

sys.meta_path.insert(0, Interrupting())
runpy.run_module("viz", run_name="__main__", alter_sys=True)
"""
"""Runs the program, which is interrupted the moment that it imports a module."""


@pytest.mark.parametrize("module", ["viz.cli", "errors", "viz.cli.models", "torch"])
def test_an_interrupt_while_modules_are_imported_is_one_line_and_130(module):
    asked = [sys.executable, "-c", INTERRUPTED_IMPORT, module, "models"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


def test_an_interrupt_while_it_works_is_one_line_and_130(monkeypatch, capsys):
    def interrupted(_args):
        raise KeyboardInterrupt

    begun = []
    monkeypatch.setattr("viz.cli.models.models", interrupted)
    assert main.main(["models"], ready=lambda: begun.append(True)) == 130
    assert begun == [True]
    assert capsys.readouterr() == ("", "Interrupted; no file is half written.\n")


def test_a_pipe_as_input_or_output_is_refused_at_once(tmp_path, capsys):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    asked = ["figure", "view", "example:bird", "--model", "e2-nl", "--at", "215,120"]
    for given in (
        ["maps", str(pipe), "--model", "e2-nl", "--at", "3,3", "--out", str(tmp_path / "o")],
        ["render", str(pipe), "--out", str(tmp_path / "o.png")],
        [*asked, "--truth", str(pipe), "--out", str(tmp_path / "o.png")],
        [*asked, "--size", "64", "--out", str(pipe)],
    ):
        assert main.main(given) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_name_that_is_no_text_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / os.fsdecode(b"b\xffrd.png")
    try:
        Image.fromarray(np.full((64, 96, 3), 90, np.uint8)).save(path)
    except OSError:
        pytest.skip("this file system takes no such names")
    given = [str(path), "--model", "e2-nl", "--at", "40,30", "--size", "64"]
    assert main.main(["maps", *given, "--out", str(tmp_path / "o")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "The name of brd.png is not UTF-8" in said


def test_an_output_whose_name_is_no_text_is_written(tmp_path, capsys):
    out = tmp_path / os.fsdecode(b"o\xff")
    given = ["example:bird", "--model", "e2-nl", "--at", "215,120", "--size", "64"]
    assert main.main(["maps", *given, "--out", str(out)]) == 0
    assert (out / "recipe.json").is_file()
