"""A data set gone through in batches, each a file of its own: a kill loses one batch at most.

out/run.json            what was asked; a folder is gone on with only for the same
out/parts/00000.parquet the rows of one batch, put into place whole by rename
out/manifest.json       written last: every part with its sha256, and what failed
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import filelock
import pyarrow as pa
from pyarrow import parquet

from errors import AttentionVizError, InputError, MachineError
from viz.datasets.sample import Sample
from viz.figure.files import export
from viz.types import Clip

PARTS, RUN, MANIFEST = "parts", "run.json", "manifest.json"
BATCH, WORKERS = 16, 2
_PROBLEMS = b"problems"

Row = dict[str, object]
Work = Callable[[Sample, Clip], list[Row]]
Progress = Callable[[int, int], None]
Turn = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Job:
    """What is done with a data set: ``start`` returns the function that makes the rows of one
    picture, a new one for each batch, so that what it remembers never crosses batches.

    ``settings`` (JSON) say all that rows depend on, ``schema`` what a row is. ``turn`` stands
    around the work on each picture: a server lets others go between them.
    """

    settings: Mapping[str, object]
    schema: pa.Schema
    start: Callable[[], Work]
    batch: int = BATCH
    workers: int = WORKERS
    turn: Turn = nullcontext


@dataclass(frozen=True)
class Finished:
    """The parts in order, and (picture, why) of each that failed."""

    parts: tuple[Path, ...]
    problems: tuple[tuple[str, str], ...]
    pictures: int

    def rows(self) -> Iterator[Row]:
        """Yield every row, one part in memory at a time."""
        for part in self.parts:
            yield from parquet.read_table(part).to_pylist()


def run(
    samples: Sequence[Sample], out: Path, job: Job, progress: Progress | None = None
) -> Finished:
    """Do the job for every picture whose part is not there yet; return all parts.

    Pictures are decoded ahead by ``workers`` threads, at most two batches of them in memory. One
    that cannot be read, or has no rows for a reason of its own, is listed and skipped. InputError
    where ``out`` holds another run; MachineError where it cannot be written.
    """
    if not samples:
        raise InputError("There are no pictures to go through; give a folder that has some.")
    with _held(out):
        _check_same(samples, out, job)
        batches = [samples[k : k + job.batch] for k in range(0, len(samples), job.batch)]
        parts = [out / PARTS / f"{k:05d}.parquet" for k in range(len(batches))]
        open_ = [k for k, part in enumerate(parts) if not _is_whole(part)]
        done = len(samples) - sum(len(batches[k]) for k in open_)
        for k, clips in _decoded([batches[j] for j in open_], open_, job.workers):
            export.save(_part(batches[k], clips, job), parts[k])
            done += len(batches[k])
            if progress:
                progress(done, len(samples))
        return _finish(out, job, parts, len(samples))


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Make the folder, and keep other runs out of it."""
    try:
        (out / PARTS).mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(out / ".lock", timeout=0)
        lock.acquire()
    except filelock.Timeout as problem:
        raise MachineError(
            f"{out} is being written by another run; wait for it, or choose another folder."
        ) from problem
    except OSError as problem:
        raise MachineError(
            f"{out} could not be made ({problem.strerror}); choose a folder that can be written."
        ) from problem
    try:
        yield
    finally:
        lock.release()


def _check_same(samples: Sequence[Sample], out: Path, job: Job) -> None:
    """Write what was asked, or refuse a folder where something else was asked before."""
    names = hashlib.sha256("\n".join(sample.name for sample in samples).encode())
    asked = {**job.settings, "pictures": len(samples), "names_sha256": names.hexdigest()}
    asked = json.loads(json.dumps({**asked, "batch": job.batch}))
    path = out / RUN
    if path.is_file():
        before = _json_of(path)
        differing = [key for key in asked if before.get(key) != asked[key]]
        if differing:
            raise InputError(
                f"{out} holds another run ({', '.join(differing[:4])} differ); choose another "
                "folder, or delete this one."
            )
        return
    if any((out / PARTS).iterdir()):
        raise InputError(f"{out} holds parts without {RUN}; choose another folder.")
    export.save(json.dumps(asked, indent=1).encode(), path)


def _json_of(path: Path) -> dict:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{path} is damaged; choose another folder, or delete this one.")
    return found


def _is_whole(part: Path) -> bool:
    """Tell whether a part is there and can be read; a damaged one is made again."""
    try:
        parquet.read_metadata(part)
    except (OSError, pa.ArrowException):
        return False
    return True


def _decoded(
    batches: list[Sequence[Sample]], numbers: list[int], workers: int
) -> Iterator[tuple[int, list[Future]]]:
    """Yield (number, futures of clips) of each batch, the next one being decoded meanwhile."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        ahead: list[tuple[int, list[Future]]] = []
        for number, batch in zip(numbers, batches, strict=True):
            ahead.append((number, [pool.submit(sample.clip) for sample in batch]))
            if len(ahead) > 1:
                yield ahead.pop(0)
        yield from ahead


def _part(batch: Sequence[Sample], clips: list[Future], job: Job) -> bytes:
    """Return the Parquet bytes of one batch, with what failed in its metadata."""
    work, rows, problems = job.start(), [], []
    for sample, clip in zip(batch, clips, strict=True):
        with job.turn():
            try:
                rows += work(sample, clip.result())
            except AttentionVizError as problem:
                problems.append((sample.name, str(problem)))
    schema = job.schema.with_metadata({_PROBLEMS: json.dumps(problems)})
    packed = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), packed, compression="zstd")
    return packed.getvalue()


def _finish(out: Path, job: Job, parts: list[Path], count: int) -> Finished:
    """Write the manifest: every part's rows and sha256."""
    listed, problems = [], []
    for part in parts:
        metadata = parquet.read_metadata(part)
        problems += [tuple(one) for one in json.loads(metadata.metadata[_PROBLEMS])]
        listed.append(
            {
                "file": f"{PARTS}/{part.name}",
                "rows": metadata.num_rows,
                "bytes": part.stat().st_size,
                "sha256": sha256_of(part),
            }
        )
    manifest = {"settings": dict(job.settings), "pictures": count, "parts": listed}
    manifest["problems"] = [{"picture": name, "reason": why} for name, why in problems]
    export.save(json.dumps(manifest, indent=1).encode(), out / MANIFEST)
    return Finished(tuple(parts), tuple(problems), count)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
