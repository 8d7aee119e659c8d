"""Processes that are killed at any moment leave all files of a set or none, and nothing else that
outlives the next start."""

import os
import random
import subprocess
import sys
import time

import pytest

from errors import MachineError
from tests.paths import ROOT
from viz.cli import file_set

pytestmark = pytest.mark.slow

KILLS = 100 if os.environ.get("NONLOCAL_VIZ_ABUSE") == "all" else 4
FILES = {f"{folder}m{k}.bin": bytes([k]) * 300_000 for k in range(17) for folder in ("", "heat/")}
PROGRAM = """
import sys
from pathlib import Path
from viz.cli import file_set
files = {f"{folder}m{k}.bin": bytes([k]) * 300_000 for k in range(17) for folder in ("", "heat/")}
print("begin", flush=True)
file_set.write(Path(sys.argv[1]), files)
"""


def found(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_run_leaves_the_whole_set_or_nothing(tmp_path):
    draw, outcomes = random.Random(17), set()
    for number in range(KILLS):
        out = tmp_path / f"out{number}"
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(out)], cwd=ROOT, stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.04))
        process.kill()
        process.communicate()
        if out.exists():
            assert found(out) == set(FILES)
            assert all((out / name).read_bytes() == FILES[name] for name in FILES)
        outcomes.add(out.exists())
    file_set.write(tmp_path / "next", {"a": b"1"})
    assert not list(tmp_path.glob(".part-*"))
    assert outcomes <= {True, False}


def test_a_folder_that_is_there_gets_every_file_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "mine").write_bytes(b"mine")
    file_set.write(tmp_path, {"a": b"new", "heat/b": b"2"})
    assert found(tmp_path) == {"a", "heat/b", "mine"}
    assert (tmp_path / "a").read_bytes() == b"new"


def test_nothing_is_written_where_one_file_cannot_be(tmp_path, one_line):
    (tmp_path / "file").write_bytes(b"")
    for out, files in [
        (tmp_path / "new", {"a": b"1", "a/b": b"2"}),
        (tmp_path / "file" / "new", {"a": b"1"}),
        (tmp_path / "file", {"a": b"1"}),
    ]:
        with pytest.raises(MachineError) as caught:
            file_set.write(out, files)
        one_line(caught.value)
        assert found(tmp_path) == {"file"}
        assert not (tmp_path / "new").exists()


def test_what_others_are_writing_and_what_is_not_ours_stays(tmp_path):
    for name in (f".part-{os.getpid()}-x", ".part-mine", ".part-"):
        (tmp_path / name).mkdir()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".part-{dead.pid}-x").mkdir()
    file_set.write(tmp_path / "out", {"a": b"1"})
    assert {p.name for p in tmp_path.glob(".part-*")} == {
        f".part-{os.getpid()}-x", ".part-mine", ".part-",
    }  # fmt: skip


def test_the_folder_has_the_rights_that_any_new_one_has(tmp_path):
    file_set.write(tmp_path / "out", {"a": b"1"})
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode
