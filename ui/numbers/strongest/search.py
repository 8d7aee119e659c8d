"""One search on the page: run, kept, and the figures that were drawn of it."""

from dataclasses import dataclass, field
from pathlib import Path

from models.loaded import LoadedModel
from ui import state
from ui.numbers.data import runs
from ui.numbers.data.choose import Chosen
from ui.numbers.data.results import Results
from ui.numbers.data.runs import Progress, Runs
from ui.server import waiting
from ui.session import loaders
from viz.datasets.sample import Dataset
from viz.evaluation import strongest
from viz.evaluation.strongest import Sought, Strongest
from viz.figure.api import Figure

_MOST_FIGURES = 8


@dataclass(frozen=True, eq=False)
class Searched:
    """What was found in what, and the folder of its files, which stays as long as this does."""

    mark: str
    title: str
    dataset: Dataset
    network: str
    sought: Sought
    found: Strongest
    folder: Path
    kept_by: Runs
    figures: dict[int, Figure] = field(default_factory=dict)

    def figure(self, number: int) -> Figure:
        """Return the figure of one channel, group or head; the last few are kept."""
        if number not in self.figures:
            model = loaders.network(self.network)
            found = strongest.figure(
                self.found, number, self.dataset, {self.network: model}, self.sought
            )
            with waiting.turn():
                found.plan()  # the networks run here, once
            while len(self.figures) >= _MOST_FIGURES:
                del self.figures[next(iter(self.figures))]
            self.figures[number] = found
        return self.figures[number]


RESULTS: Results[Searched] = Results(state.STRONGEST_FOUND)


def mark_of(chosen: Chosen, model: LoadedModel, sought: Sought) -> str:
    """Return what tells a search from others."""
    return runs.mark_of("strongest", chosen.mark, model.id, model.sha256, sought)


def run(chosen: Chosen, network: str, sought: Sought, shared: bool) -> Searched:
    """Search with progress and a button that stops; a run that was stopped goes on."""
    model, own = loaders.network(network), runs.runs()
    mark = mark_of(chosen, model, sought)
    progress = Progress(len(chosen.dataset.samples), "strongest", mark)
    with own.alone(mark) as folder, progress:
        found = strongest.strongest(
            chosen.dataset, model, folder, sought, progress.reached, progress.turn
        )
    made = Searched(mark, chosen.title, chosen.dataset, network, sought, found, folder, own)
    return RESULTS.keep(made, shared)
