"""Cases -> tables: means with intervals, paired differences; Parquet and CSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pyarrow import parquet

from errors import MachineError, counted
from viz import whole_files
from viz.datasets.shards import Finished, Row
from viz.evaluation import clusters, statistics
from viz.evaluation.measures import OF_PARTS
from viz.evaluation.statistics import Mean
from viz.figure.files import export

PARTS_MAP = "parts"
MOST_RESAMPLES_OF_PARTS = 200


class Line(NamedTuple):
    """A line of the summary: a measure of one network's map, its mean and interval."""

    network: str
    map: str
    measure: str
    mean: Mean

    def __str__(self) -> str:
        what = f"{self.network}, {self.map}, {self.measure}"
        return f"{what:60} {self.mean} over {counted(self.mean.pictures, 'picture')}"


class Difference(NamedTuple):
    """``first`` - ``second`` (network, map) of one measure, over the pictures that both have."""

    first: tuple[str, str]
    second: tuple[str, str]
    measure: str
    mean: Mean


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found: the summary, paired differences, the parts that hold every case,
    and the mean of each picture: {(network, map, measure): {picture: value}}."""

    summary: tuple[Line, ...]
    differences: tuple[Difference, ...]
    finished: Finished
    pictures: dict[tuple[str, str, str], dict[str, float]]

    @property
    def measured(self) -> frozenset[str]:
        """The measures that there is a line of."""
        return frozenset(line.measure for line in self.summary)


def written(finished: Finished, out: Path) -> Evaluation:
    """Summarise the rows, and write every table to ``out``, each whole or not at all."""
    _write_cases(finished, out)
    by_picture, parts = _gathered(finished.rows())
    lines = [
        Line(*key, statistics.bootstrapped(np.array(list(values.values()))))
        for key, values in by_picture.items()
    ]
    lines += [line for network, found in parts.items() for line in found.lines(network)]
    differences = tuple(_differences(by_picture))
    found = Evaluation(tuple(lines), differences, finished, by_picture)
    export.save(_csv(_summary_rows(found.summary)), out / "summary.csv")
    export.save(_csv(_difference_rows(differences)), out / "differences.csv")
    return found


class _Parts:
    """What the measures over all pictures need of one network, by picture."""

    def __init__(self) -> None:
        self.centroids: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
        self.points: dict[str, dict[str, tuple[float, float, int]]] = defaultdict(dict)
        self.sizes: dict[str, float] = {}

    def add(self, row: Row) -> None:
        picture, name = row["picture"], row["reference"]
        if row["measure"] == "centroid":
            self.centroids[picture][name] = row["x"], row["y"]
        elif row["measure"] == "part":
            self.points[picture][name] = row["x"], row["y"], int(row["value"])
        else:
            self.sizes[picture] = row["value"]

    def lines(self, network: str) -> Iterator[Line]:
        """Yield NMI and ARI of key points against parts, and the error of regressed points."""
        pictures = [name for name in self.points if name in self.centroids and name in self.sizes]
        names = sorted({name for points in self.points.values() for name in points})
        truth = [[names.index(n) for n in self.points[p]] for p in pictures]
        found = [[number for _x, _y, number in self.points[p].values()] for p in pictures]
        if len(names) < 2:
            return
        for k, measure in enumerate(OF_PARTS[:2]):

            def of(chosen: np.ndarray, k: int = k) -> float:
                pair = ([n for c in chosen for n in labels[c]] for labels in (truth, found))
                return clusters.agreement(*map(torch.tensor, pair))[k] / 100

            mean = statistics.resampled(len(pictures), of, MOST_RESAMPLES_OF_PARTS)
            yield Line(network, PARTS_MAP, measure, mean)
        errors = self._errors(pictures, names)
        yield Line(network, PARTS_MAP, OF_PARTS[2], statistics.bootstrapped(errors))

    def _errors(self, pictures: list[str], names: list[str]) -> np.ndarray:
        """Fit on every other picture, and return the errors of the others."""
        features = torch.tensor([[v for at in self.centroids[p].values() for v in at]
                                 for p in pictures])  # fmt: skip
        nowhere = (torch.nan, torch.nan)
        points = torch.tensor([[self.points[p].get(n, nowhere)[:2] for n in names]
                               for p in pictures])  # fmt: skip
        train = torch.arange(len(pictures)) % 2 == 0
        sizes = torch.tensor([self.sizes[p] for p in pictures])
        return clusters.regression_error(features, points, train, sizes).numpy()


def _gathered(
    rows: Iterable[Row],
) -> tuple[dict[tuple[str, str, str], dict[str, float]], dict[str, _Parts]]:
    """Return {(network, map, measure): {picture: mean of its cases}}, and what parts need."""
    sums: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0]))
    parts: dict[str, _Parts] = defaultdict(_Parts)
    for row in rows:
        if row["map"] == PARTS_MAP:
            parts[row["network"]].add(row)
            continue
        entry = sums[row["network"], row["map"], row["measure"]][row["picture"]]
        entry[0] += row["value"]
        entry[1] += 1
    means = {
        key: {name: total / count for name, (total, count) in values.items()}
        for key, values in sums.items()
    }
    return means, parts


def _differences(by_picture: dict[tuple[str, str, str], dict[str, float]]) -> Iterator[Difference]:
    """Yield networks against each other by map, and each network's own map against the others."""
    for (one, values), (other, others) in combinations(by_picture.items(), 2):
        (first, first_map, measure), (second, second_map, measure_of_second) = one, other
        if measure != measure_of_second:
            continue
        same_map, same_network = first_map == second_map, first == second
        if same_map or (same_network and first_map == "map"):
            mean = statistics.paired(values, others)
            yield Difference((first, first_map), (second, second_map), measure, mean)


def _summary_rows(lines: Iterable[Line]) -> Iterator[tuple]:
    yield ("network", "map", "measure", "mean", "low", "high", "pictures")
    for line in lines:
        yield (*line[:3], *_numbers(line.mean))


def _difference_rows(differences: Iterable[Difference]) -> Iterator[tuple]:
    yield ("network", "map", "minus network", "minus map", "measure", "mean", "low", "high",
           "pictures")  # fmt: skip
    for one in differences:
        yield (*one.first, *one.second, one.measure, *_numbers(one.mean))


def _numbers(mean: Mean) -> tuple[float, float, float, int]:
    return mean.value, mean.low, mean.high, mean.pictures


def _csv(rows: Iterable[tuple]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _write_cases(finished: Finished, out: Path) -> None:
    """Write every case as Parquet and CSV, one part in memory at a time."""
    schema = parquet.read_schema(finished.parts[0]).remove_metadata()
    with (
        _whole(out / "cases.parquet") as path,
        parquet.ParquetWriter(path, schema, compression="zstd") as packed,
        _whole(out / "cases.csv") as text_path,
        text_path.open("w", encoding="utf-8", newline="") as text,
    ):
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(schema.names)
        for part in finished.parts:
            table = parquet.read_table(part).replace_schema_metadata()
            packed.write_table(table)
            lines.writerows(zip(*(c.to_pylist() for c in table.columns), strict=True))


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` only when all went well."""
    try:
        with whole_files.replacing(path) as part:
            yield part
    except OSError as problem:
        raise MachineError(
            f"{path} was not saved ({problem.strerror}); make room, or choose another folder."
        ) from problem
