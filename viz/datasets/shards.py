"""A data set gone through in batches, each a file of its own: a kill loses one batch at most.

out/run.json            what was asked; a folder is gone on with only for the same
out/parts/00000.parquet the rows of one batch, put into place whole
out/manifest.json       written last: every part with its sha256, and what failed
"""

import hashlib
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from errors import AttentionVizError, InputError
from models.loaded import LoadedModel
from viz.datasets.folders import File, Folder, folder
from viz.datasets.sample import Sample
from viz.types import Clip

PARTS, RUN, MANIFEST = "parts", "run.json", "manifest.json"
BATCH, WORKERS = 16, 2
_AHEAD = 4
"""Pictures that a thread of the loader may be ahead."""
_PROBLEMS = b"problems"

Row = dict[str, object]
Loaded = Iterator[tuple[Sample, Any]]
"""Pictures as the loader left them, in order."""
Work = Callable[[Loaded], Iterator[tuple[Sample, list[Row] | Exception]]]
"""Takes the loaded pictures of a batch, and yields the rows of each, or the AttentionVizError that
it failed with."""
Progress = Callable[[int, int], None]
Turn = Callable[[], AbstractContextManager[object]]


def decoded(sample: Sample) -> Clip:
    """Return the picture of a sample."""
    return sample.clip()


def one_by_one(
    row: Callable[[Sample, Any], list[Row]],
    before: Callable[[Loaded], Loaded] = iter,
) -> Work:
    """Return the work that makes the rows of one picture after the other, of what ``before`` makes
    of loaded pictures."""

    def work(loaded: Loaded) -> Iterator[tuple[Sample, list[Row] | Exception]]:
        for sample, what in before(loaded):
            if isinstance(what, AttentionVizError):
                yield sample, what
                continue
            try:
                yield sample, row(sample, what)
            except AttentionVizError as problem:
                yield sample, problem

    return work


@dataclass(frozen=True)
class Job:
    """What is done with a data set: ``load`` reads a picture, in a thread of the loader; ``start``
    returns the work of one batch, new each time, so that what it remembers never crosses batches.

    ``settings`` (JSON) say all that rows depend on, ``schema`` what a row is. ``models`` are the
    networks that run, ``at_once`` pictures in one pass. ``turn`` stands around the work on each
    picture: a server lets others go between them.
    """

    settings: Mapping[str, object]
    schema: pa.Schema
    start: Callable[[], Work]
    load: Callable[[Sample], Any] = decoded
    models: tuple[LoadedModel, ...] = ()
    at_once: int = 1
    batch: int = BATCH
    workers: int = WORKERS
    turn: Turn = nullcontext


Batches = Sequence[tuple[int, Sequence[Sample]]]
"""What is left to do: the number of each part, and its samples."""
Runner = Callable[[Job, Batches], Iterator[tuple[int, bytes]]]
"""Makes parts, in any order, and yields the number and the Parquet bytes of each."""


@dataclass(frozen=True)
class Finished:
    """The parts in order, and (picture, why) of each that failed."""

    parts: tuple[File, ...]
    problems: tuple[tuple[str, str], ...]
    pictures: int

    def rows(self) -> Iterator[Row]:
        """Yield every row, one part in memory at a time."""
        for part in self.parts:
            yield from parquet.read_table(pa.BufferReader(part.read_bytes())).to_pylist()


def in_this_process(job: Job, batches: Batches) -> Iterator[tuple[int, bytes]]:
    """Make the parts here, one after the other, pictures being read ahead by threads."""
    samples = (sample for _number, batch in batches for sample in batch)
    with closing(_ahead(samples, job)) as futures:
        for number, batch in batches:
            yield number, _part(zip(batch, islice(futures, len(batch)), strict=True), job)


def run(
    samples: Sequence[Sample],
    out: Path | str,
    job: Job,
    progress: Progress | None = None,
    runner: Runner = in_this_process,
) -> Finished:
    """Do the job for every picture whose part is not there yet; return all parts.

    A picture that cannot be read, or has no rows for a reason of its own, is listed and skipped.
    InputError where ``out`` (a folder or a URL) holds another run; MachineError where it cannot be
    written.
    """
    if not samples:
        raise InputError("There are no pictures to go through; give a folder that has some.")
    place = folder(out)
    with place.held():
        _check_same(samples, place, job)
        batches = [samples[k : k + job.batch] for k in range(0, len(samples), job.batch)]
        names = [f"{PARTS}/{k:05d}.parquet" for k in range(len(batches))]
        left = [(k, batch) for k, batch in enumerate(batches) if not _is_whole(place, names[k])]
        done = len(samples) - sum(len(batch) for _k, batch in left)
        # Closed here, whatever happens: threads that read ahead cannot wait for themselves.
        with closing(runner(job, left) if left else _nothing()) as made:
            for k, content in made:
                place.write(names[k], content)
                done += len(batches[k])
                if progress:
                    progress(done, len(samples))
        return _finish(place, job, names, len(samples))


def _nothing() -> Iterator[tuple[int, bytes]]:
    yield from ()


def _check_same(samples: Sequence[Sample], place: Folder, job: Job) -> None:
    """Write what was asked, or refuse a folder where something else was asked before."""
    names = hashlib.sha256("\n".join(sample.name for sample in samples).encode())
    asked = {**job.settings, "pictures": len(samples), "names_sha256": names.hexdigest()}
    asked = json.loads(json.dumps({**asked, "batch": job.batch}))
    known = place.read(RUN)
    if known is not None:
        before = _json_of(known, place)
        differing = [key for key in asked if before.get(key) != asked[key]]
        if differing:
            raise InputError(
                f"{place} holds another run ({', '.join(differing[:4])} differ); choose another "
                "folder, or delete this one."
            )
        return
    if not place.is_empty(PARTS):
        raise InputError(f"{place} holds parts without {RUN}; choose another folder.")
    place.write(RUN, json.dumps(asked, indent=1).encode())


def _json_of(content: bytes, place: Folder) -> dict:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{place}/{RUN} is damaged; choose another folder, or delete this one.")
    return found


def _is_whole(place: Folder, name: str) -> bool:
    """Tell whether a part is there and can be read; a damaged one is made again."""
    part = place.file(name)
    if not isinstance(part, Path):
        part = pa.BufferReader(place.read(name) or b"")
    try:
        parquet.read_metadata(part)
    except (OSError, pa.ArrowException):
        return False
    return True


def _ahead(samples: Iterable[Sample], job: Job) -> Iterator[Future]:
    """Yield the loading of each picture in order, a bounded number of them ahead."""
    left, ahead = iter(samples), deque()
    most = max(_AHEAD * job.workers, 2 * job.at_once)
    with ThreadPoolExecutor(max(1, job.workers)) as pool:
        while True:
            for sample in islice(left, most - len(ahead)):
                ahead.append(pool.submit(job.load, sample))
            if not ahead:
                return
            yield ahead.popleft()


def _part(loading: Iterable[tuple[Sample, Future]], job: Job) -> bytes:
    """Return the Parquet bytes of one batch, with what failed in its metadata."""
    rows, problems, order = [], {}, []

    def loaded() -> Loaded:
        for sample, future in loading:
            order.append(sample.name)
            try:
                yield sample, future.result()
            except AttentionVizError as problem:
                problems[sample.name] = str(problem)

    for sample, found in _in_turns(job.start(), loaded(), job.turn):
        if isinstance(found, Exception):
            problems[sample.name] = str(found)
        else:
            rows += found
    listed = [(name, problems[name]) for name in order if name in problems]
    schema = job.schema.with_metadata({_PROBLEMS: json.dumps(listed)})
    packed = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), packed, compression="zstd")
    return packed.getvalue()


def _in_turns(
    work: Work, loaded: Loaded, turn: Turn
) -> Iterator[tuple[Sample, list[Row] | Exception]]:
    """Yield what the work makes, each in a turn of its own, which does not wait for a picture to be
    read."""
    ahead: deque[tuple[Sample, Any]] = deque()
    open_ = 0

    def is_one_ahead() -> bool:
        if not ahead:
            ahead.extend(islice(loaded, 1))
        return bool(ahead)

    def handed() -> Loaded:
        nonlocal open_
        while is_one_ahead():
            open_ += 1
            yield ahead.popleft()

    made = work(handed())
    while is_one_ahead() or open_:
        with turn():
            found = next(made)
        open_ -= 1
        yield found


def part_of(batch: Sequence[Sample], job: Job) -> bytes:
    """Return the Parquet bytes of one batch: what a process of its own does."""
    ((_number, content),) = in_this_process(job, [(0, batch)])
    return content


def _finish(place: Folder, job: Job, names: Sequence[str], count: int) -> Finished:
    """Write the manifest: every part's rows and sha256."""
    listed, problems = [], []
    for name in names:
        content = place.file(name).read_bytes()
        metadata = parquet.read_metadata(pa.BufferReader(content))
        problems += [tuple(one) for one in json.loads(metadata.metadata[_PROBLEMS])]
        listed.append(
            {
                "file": name,
                "rows": metadata.num_rows,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
    manifest = {"settings": dict(job.settings), "pictures": count, "parts": listed}
    manifest["problems"] = [{"picture": name, "reason": why} for name, why in problems]
    place.write(MANIFEST, json.dumps(manifest, indent=1).encode())
    return Finished(tuple(place.file(name) for name in names), tuple(problems), count)
