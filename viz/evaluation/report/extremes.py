"""The best and worst pictures of a network, drawn with the map that was measured."""

import re
from collections.abc import Mapping
from pathlib import Path

from models.loaded import LoadedModel
from viz.datasets.sample import Dataset
from viz.evaluation.report.summary import Evaluation
from viz.figure import api as figures
from viz.figure.sources import FileSources
from viz.media import footage

SHOWN, DPI = 4, 150
RANKED_BY = ("part coverage", "energy", "pointing game")
"""The first of these that was measured ranks the pictures."""


def write(
    found: Evaluation,
    dataset: Dataset,
    models: Mapping[str, LoadedModel],
    out: Path,
    view: Mapping[str, object],
) -> list[Path]:
    """Write best-MODEL.png and worst-MODEL.png: up to four pictures each, a row a picture.

    ``models`` by the name that loads them; ``view`` is block, mode and size. Nothing is written of
    a network that no measure ranks. The reference is the first of each picture.
    """
    reader = dataset.samples[0].reader
    sources = FileSources(
        load=lambda name, _answers: models[name],
        read=lambda path, _levels: footage.of(reader(Path(path))),
        places=[dataset.folder],
    )
    paths = {sample.name: str(sample.path) for sample in dataset.samples}
    first = _first_references(found)
    written = []
    for loaded, model in models.items():
        of_maps = (found.pictures.get((model.id, "map", measure), {}) for measure in RANKED_BY)
        values = next(filter(None, of_maps), {})
        ranked = sorted(values, key=lambda name: (-values[name], name))
        for word, few in (("best", ranked[:SHOWN]), ("worst", ranked[::-1][:SHOWN])):
            if not few:
                continue
            figure = figures.heatmaps(
                [paths[name] for name in few],
                [loaded],
                [first[model.id, name] for name in few],
                sources=sources,
                name=tuple(f"{name} ({values[name]:.2f})" for name in few),
                dpi=DPI,
                **view,
            )
            safe = re.sub(r"[^\w.-]+", "-", model.id)
            written.append(figure.save(out / f"{word}-{safe}.png"))
    return written


def _first_references(found: Evaluation) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the first reference of each network and picture, in pixels."""
    first: dict[tuple[str, str], tuple[float, float]] = {}
    for row in found.finished.rows():
        if row["map"] == "map":
            first.setdefault((row["network"], row["picture"]), (row["x"], row["y"]))
    return first
