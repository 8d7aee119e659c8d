"""One evaluation on the page: run, kept, and the example's shared by all visitors."""

from dataclasses import dataclass
from pathlib import Path

from models.loaded import LoadedModel
from ui import state
from ui.numbers.data import runs
from ui.numbers.data.choose import Chosen
from ui.numbers.data.results import Results
from ui.numbers.data.runs import Progress, Runs
from ui.numbers.evaluate.settings import Wanted
from ui.server import waiting
from ui.session import loaders
from viz.datasets.sample import Dataset
from viz.evaluation.evaluate import evaluate
from viz.evaluation.report import extremes, plots
from viz.evaluation.report.summary import Evaluation

_BYTES_OF_A_MEAN = 128
"""A number in a dict, by the picture's name."""


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What was measured on what, and the folder of its files, which stays as long as this does."""

    mark: str
    title: str
    dataset: Dataset
    wanted: Wanted
    found: Evaluation
    folder: Path
    pictures: tuple[Path, ...]
    kept_by: Runs

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about: those of the mean of each picture."""
        return _BYTES_OF_A_MEAN * sum(map(len, self.found.pictures.values()))


RESULTS: Results[Evaluated] = Results(state.EVALUATED)


def mark_of(chosen: Chosen, wanted: Wanted) -> str:
    """Return what tells an evaluation from others: data, networks with their weights, settings."""
    networks = tuple((name, loaders.network(name).sha256) for name in wanted.networks)
    return runs.mark_of("evaluate", chosen.mark, networks, wanted.asked)


def run(chosen: Chosen, wanted: Wanted, shared: bool = False) -> Evaluated:
    """Measure with progress and a button that stops; a run that was stopped goes on.

    InputError where nothing can be measured. What is ``shared`` is there for everybody after.
    """
    models = [loaders.network(name) for name in wanted.networks]
    mark, own = mark_of(chosen, wanted), runs.runs()
    progress = Progress(len(chosen.dataset.samples), "evaluate", mark)
    with own.alone(mark) as folder, progress:
        found = evaluate(
            chosen.dataset, models, folder, wanted.asked, progress.reached, progress.turn
        )
        progress.say("Drawing the best and the worst")
        plots.write(found.summary, folder / "summary.pdf")
        pictures = _extremes(found, chosen.dataset, models, wanted, folder)
    made = Evaluated(
        mark, chosen.title, chosen.dataset, wanted, found, folder, tuple(pictures), own
    )
    own.results[mark] = made
    return RESULTS.keep(made, shared)


def _extremes(
    found: Evaluation, dataset: Dataset, models: list[LoadedModel], wanted: Wanted, folder: Path
) -> list[Path]:
    view = {"block": wanted.asked.block, "mode": wanted.asked.mode, "size": wanted.asked.size}
    by_name = dict(zip(wanted.networks, models, strict=True))
    with waiting.turn():
        return extremes.write(found, dataset, by_name, folder, view)
