"""A run that is killed 20 times at any moment: no half file, at most one batch lost a kill."""

import multiprocessing
import random
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from viz.datasets import shards
from viz.datasets.read import read

SCHEMA = pa.schema([("picture", pa.string()), ("noise", pa.binary())])
PICTURES, BATCH, KILLS = 80, 2, 20


def work(data: Path, out: Path, log: Path) -> None:
    """Go through the pictures slowly, noting each; rows are large, so that writing takes time."""

    def row(sample, clip):
        with log.open("a") as file:
            file.write(f"{sample.name}\n")
        time.sleep(0.005)
        noise = np.random.default_rng(int(clip.frames[0, 0, 0, 0])).bytes(2**20)
        return [{"picture": sample.name, "noise": noise}]

    job = shards.Job({}, SCHEMA, lambda: shards.one_by_one(row), batch=BATCH)
    shards.run(read(data).samples, out, job)


@pytest.mark.slow
def test_twenty_kills_leave_no_half_file_and_lose_at_most_a_batch_each(tmp_path):
    data, out, log = (tmp_path / name for name in ("data", "out", "log"))
    data.mkdir()
    for k in range(PICTURES):
        Image.fromarray(np.full((17, 19, 3), k, np.uint8)).save(data / f"{k:02d}.png")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.viz.datasets.test_killed_exports"])
    draw, kills, parts = random.Random(7), 0, out / "parts"
    while kills < KILLS:
        child = processes.Process(target=work, args=(data, out, log))
        child.start()
        before = len(list(parts.glob("0*"))) if parts.is_dir() else 0
        while child.is_alive() and not (parts.is_dir() and len(list(parts.glob("0*"))) > before):
            time.sleep(0.001)
        time.sleep(draw.random() * 0.03)
        child.kill()
        child.join()
        kills += 1
        for part in parts.glob("0*"):
            assert parquet.read_table(part).num_rows == BATCH
    work(data, out, log)
    assert not list(out.rglob(".*.part"))
    assert len(log.read_text().split()) <= PICTURES + (KILLS + 1) * BATCH
    whole = tmp_path / "whole"
    work(data, whole, tmp_path / "other")
    for part in sorted((whole / "parts").iterdir()):
        assert part.read_bytes() == (parts / part.name).read_bytes()
