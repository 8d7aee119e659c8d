"""Runs that are killed, go on, and list what failed."""

import errno
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from errors import InputError, MachineError, MediaError
from tests.paths import ROOT
from viz.datasets import shards
from viz.datasets.read import read
from viz.datasets.shards import Job

SCHEMA = pa.schema([("picture", pa.string()), ("mean", pa.float32())])
PICTURES = 11


@pytest.fixture
def samples(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    for k in range(PICTURES):
        Image.fromarray(np.full((17, 19, 3), 10 * k, np.uint8)).save(folder / f"{k:02d}.png")
    return read(folder).samples


class Counting:
    """A job that counts the pictures it is asked for, and fails where it is told to."""

    def __init__(self, fails: dict[str, Exception] | None = None, **settings) -> None:
        self.seen, self.fails = [], fails or {}
        self.job = Job(settings, SCHEMA, lambda: shards.one_by_one(self.row), batch=3)

    def row(self, sample, clip):
        self.seen.append(sample.name)
        if sample.name in self.fails:
            raise self.fails[sample.name]
        return [{"picture": sample.name, "mean": float(clip.frames.mean())}]


def test_every_picture_gets_its_rows_in_order(samples, tmp_path):
    progress = []
    found = shards.run(samples, tmp_path / "o", Counting().job, lambda *at: progress.append(at))
    assert [row["mean"] for row in found.rows()] == [10.0 * k for k in range(PICTURES)]
    assert progress == [(3, 11), (6, 11), (9, 11), (11, 11)]
    manifest = json.loads((tmp_path / "o" / "manifest.json").read_text())
    for part in manifest["parts"]:
        assert sha256((tmp_path / "o" / part["file"]).read_bytes()).hexdigest() == part["sha256"]
    assert sum(part["rows"] for part in manifest["parts"]) == PICTURES


@pytest.mark.parametrize("stopped_at", range(PICTURES))
def test_a_stop_anywhere_loses_one_batch_at_most_and_gives_the_same_bytes(
    stopped_at, samples, tmp_path
):
    whole = shards.run(samples, tmp_path / "whole", Counting().job)
    first = Counting({samples[stopped_at].name: KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        shards.run(samples, tmp_path / "o", first.job)
    again = Counting()
    found = shards.run(samples, tmp_path / "o", again.job)
    assert len(again.seen) == PICTURES - stopped_at // 3 * 3
    assert [p.read_bytes() for p in found.parts] == [p.read_bytes() for p in whole.parts]


def test_a_killed_process_leaves_no_half_part(samples, tmp_path):
    code = f"""
import os, signal, sys
from hashlib import sha256
from pathlib import Path
from tests.viz.datasets.test_shards import Counting
from viz.datasets import shards
from viz.datasets.read import read
counting = Counting()
def row(sample, clip):
    if sample.name == "07.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return counting.row(sample, clip)
job = shards.Job({{}}, counting.job.schema, lambda: shards.one_by_one(row), batch=3)
shards.run(read({str(tmp_path / "data")!r}).samples, Path({str(tmp_path / "o")!r}), job)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == -9
    parts = sorted(p.name for p in (tmp_path / "o" / "parts").iterdir())
    assert parts == ["00000.parquet", "00001.parquet"]
    again = Counting()
    shards.run(samples, tmp_path / "o", again.job)
    assert again.seen == [f"{k:02d}.png" for k in range(6, PICTURES)]


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from tests.viz.datasets.test_shards import Counting
from viz.datasets import shards
from viz.datasets.read import read
samples, out = read(sys.argv[1]).samples, Path(sys.argv[2])
for k in range(20):
    child = os.fork()
    if not child:
        shards.run(samples, out, Counting().job)
        os._exit(0)
    time.sleep(random.Random(k).uniform(0, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(len(list((out / "parts").glob("*.parquet"))) if out.exists() else 0)
"""


@pytest.mark.slow
def test_twenty_kills_at_any_moment_leave_whole_parts_and_the_same_bytes(samples, tmp_path):
    out = tmp_path / "o"
    whole = shards.run(samples, tmp_path / "whole", Counting().job)
    asked = [sys.executable, "-c", KILLED, str(tmp_path / "data"), str(out)]
    done = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True)
    counts = list(map(int, done.stdout.split()))
    assert len(counts) == 20
    assert counts == sorted(counts)  # finished work is never lost
    again = Counting()
    found = shards.run(samples, out, again.job)
    assert len(again.seen) == PICTURES - min(PICTURES, 3 * counts[-1])
    assert [p.read_bytes() for p in found.parts] == [p.read_bytes() for p in whole.parts]


def test_pictures_that_fail_are_listed_and_skipped(samples, tmp_path):
    samples[4].path.write_bytes(b"no picture at all")
    samples[5].path.unlink()
    job = Counting({"08.png": MediaError("not today.")}).job
    found = shards.run(samples, tmp_path / "o", job)
    assert [name for name, _why in found.problems] == ["04.png", "05.png", "08.png"]
    assert len(list(found.rows())) == PICTURES - 3
    manifest = json.loads((tmp_path / "o" / "manifest.json").read_text())
    assert manifest["problems"][2] == {"picture": "08.png", "reason": "not today."}


def test_a_damaged_part_is_made_again_and_a_bug_is_left_to_crash(samples, tmp_path):
    found = shards.run(samples, tmp_path / "o", Counting().job)
    found.parts[1].write_bytes(found.parts[1].read_bytes()[:50])
    again = Counting()
    shards.run(samples, tmp_path / "o", again.job)
    assert again.seen == ["03.png", "04.png", "05.png"]
    with pytest.raises(ZeroDivisionError):
        shards.run(samples, tmp_path / "p", Counting({"03.png": ZeroDivisionError()}).job)


def _other_settings(samples, out, _patch):
    shards.run(samples, out, Counting(size=1).job)
    shards.run(samples, out, Counting(size=2).job)


def _other_pictures(samples, out, _patch):
    shards.run(samples, out, Counting().job)
    shards.run(samples[1:], out, Counting().job)


def _damaged_run(samples, out, _patch):
    out.mkdir()
    (out / "run.json").write_text("{")
    shards.run(samples, out, Counting().job)


def _file_in_the_way(samples, out, _patch):
    out.write_text("")
    shards.run(samples, out, Counting().job)


def _disk_full(samples, out, patch):
    def full(_path, _content):
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(Path, "write_bytes", full)
    shards.run(samples, out, Counting().job)


def _two_at_once(samples, out, _patch):
    def start():
        shards.run(samples, out, Counting().job)

    shards.run(samples, out, Job({}, SCHEMA, start, batch=3))


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (_other_settings, InputError, "size differ"),
        (_other_pictures, InputError, "pictures, names_sha256 differ"),
        (_damaged_run, InputError, "is damaged"),
        (_file_in_the_way, MachineError, "could not be made"),
        (_disk_full, MachineError, "no room left"),
        (_two_at_once, MachineError, "another run"),
        (lambda _s, out, _p: shards.run((), out, Counting().job), InputError, "no pictures"),
    ],
)
def test_faults_are_one_line(fault, kind, said, samples, tmp_path, monkeypatch, one_line):
    with pytest.raises(kind) as problem:
        fault(samples, tmp_path / "o", monkeypatch)
    assert said in one_line(problem.value)
