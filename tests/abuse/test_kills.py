"""Processes that are killed at any moment leave all files of a set or none, and nothing else that
outlives the next start."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from errors import MachineError
from tests.paths import ROOT
from viz.cli import file_set, folder_swap

pytestmark = pytest.mark.slow

IS_ALL = os.environ.get("NONLOCAL_VIZ_ABUSE") == "all"
KILLS = int(os.environ.get("NONLOCAL_VIZ_KILLS", 100 if IS_ALL else 3))
FILES = {f"{folder}m{k}.bin": bytes([k]) * 300_000 for k in range(17) for folder in ("", "heat/")}
PROGRAM = """
import sys
from pathlib import Path
from viz.cli import file_set, folder_swap
files = {f"{folder}m{k}.bin": bytes([k]) * 300_000 for k in range(17) for folder in ("", "heat/")}
print("begin", flush=True)
file_set.write(Path(sys.argv[1]), files)
"""


def found(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


OLD = {"m0.bin": b"old", "mine": b"mine", "heat/mine": b"mine", "deep/er/mine": b"mine"}


def made(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in found(folder)}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("before", [None, {}, OLD], ids=["new", "empty", "there"])
def test_a_killed_run_leaves_the_whole_set_or_what_was_there(tmp_path, before):
    draw = random.Random(17)
    for number in range(KILLS):
        out = tmp_path / f"out{number}"
        if before is not None:
            out.mkdir()
            made(out, before)
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(out)], cwd=ROOT, stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.04))
        process.kill()
        process.communicate()
        left = contents(out) if out.exists() else None
        assert left in (before, (before or {}) | FILES)
    file_set.write(tmp_path / "next", {"a": b"1"})
    assert not list(tmp_path.glob(".part-*"))


def test_what_a_killed_run_had_ready_is_finished_where_a_folder_cannot_be_swapped(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(folder_swap, "_renameat2", lambda: None)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    made(tmp_path, OLD)
    made(tmp_path / f"{file_set.WHOLE}{dead.pid}-x", FILES)
    made(tmp_path / f"{file_set.WHOLE}{os.getpid()}-x", {"theirs": b"1"})
    file_set.write(tmp_path, {"a": b"1"})
    theirs = {f"{file_set.WHOLE}{os.getpid()}-x/theirs": b"1"}
    assert contents(tmp_path) == OLD | FILES | theirs | {"a": b"1"}


def test_links_and_rights_of_a_folder_that_is_swapped_stay(tmp_path):
    out = tmp_path / "out"
    made(out, OLD)
    (out / "link").symlink_to("mine")
    (out / "folder").symlink_to("heat")
    out.chmod(0o751)
    (out / "mine").chmod(0o640)
    file_set.write(out, FILES)
    assert (out / "link").readlink().name == "mine"
    assert (out / "folder").readlink().name == "heat"
    assert (out.stat().st_mode & 0o777, (out / "mine").stat().st_mode & 0o777) == (0o751, 0o640)
    assert found(tmp_path) == {f"out/{name}" for name in {*OLD, *FILES, "link"}}


def test_the_working_folder_stays_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    made(tmp_path, OLD)
    file_set.write(Path(), {"a": b"1"})
    assert (tmp_path.stat().st_ino, contents(tmp_path)) == (before, OLD | {"a": b"1"})


@pytest.mark.parametrize("can_swap", [True, False])
@pytest.mark.parametrize("name", ["mine", "mine/x"])
def test_nothing_of_what_is_there_makes_room(tmp_path, monkeypatch, one_line, name, can_swap):
    if not can_swap:
        monkeypatch.setattr(folder_swap, "_renameat2", lambda: None)
    out = tmp_path / "out"
    made(out, {"mine": b"1"} if "/" in name else {"mine/deep": b"1"})
    before = contents(out)
    with pytest.raises(MachineError) as caught:
        file_set.write(out, {"a": b"1", name: b"2"})
    one_line(caught.value)
    assert contents(tmp_path) == {f"out/{path}": content for path, content in before.items()}


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


SAVING = """
import sys
from pathlib import Path
from viz import whole_files
print("begin", flush=True)
with whole_files.temporary_folder() as folder, whole_files.replacing(Path(sys.argv[1])) as part:
    (folder / "x").write_bytes(b"1")
    part.write_bytes(b"half")
    print(folder, flush=True)
    sys.stdin.readline()
    part.write_bytes(b"whole")
"""


def started(path, folder):
    process = subprocess.Popen(
        [sys.executable, "-c", SAVING, str(path)], cwd=ROOT, stdout=subprocess.PIPE,
        stdin=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    process.stdout.readline()
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_was_writing_goes_when_the_next_one_writes(tmp_path):
    temporary, target = tmp_path / "temporary", tmp_path / "figure.pdf"
    temporary.mkdir()
    target.write_bytes(b"old")
    killed, left = started(target, temporary)
    living, held = started(tmp_path / "other.pdf", temporary)
    killed.kill()
    killed.communicate()
    assert (target.read_bytes(), left.exists()) == (b"old", True)
    last, _folder = started(target, temporary)
    last.communicate("go\n")
    assert (target.read_bytes(), left.exists(), held.exists()) == (b"whole", False, True)
    living.communicate("go\n")
    assert found(tmp_path) == {"figure.pdf", "other.pdf"}
    assert not list(temporary.iterdir())
