"""One search on the page: run, kept, and the figures that were drawn of it."""

from dataclasses import dataclass, replace
from pathlib import Path

from models.loaded import LoadedModel
from ui import state
from ui.numbers.data import runs
from ui.numbers.data.choose import Chosen
from ui.numbers.data.results import Results
from ui.numbers.data.runs import Progress, Runs
from ui.server import waiting
from ui.server.kept import Kept
from ui.session import loaders
from viz.evaluation import strongest
from viz.evaluation.strongest import Sought, Strongest
from viz.figure.api import Figure

_MOST_FIGURES = 8


@dataclass(frozen=True, eq=False)
class Searched:
    """What was found in what, and the folder of its files, which stays as long as this does;
    ``figures`` are by mark and number: a session's searches have theirs together."""

    mark: str
    chosen: Chosen
    network: str
    sought: Sought
    found: Strongest
    folder: Path
    kept_by: Runs
    figures: Kept[Figure]

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about, without the figures."""
        found = self.found
        return sum(one.nbytes for one in (found.pictures, found.strengths, found.x, found.y))

    def figure(self, number: int) -> Figure:
        """Return the figure of one channel, group or head; the last few are kept."""
        drawn = self.figures.get((self.mark, number))
        if drawn is not None:
            return drawn
        model = loaders.network(self.network)
        made = strongest.figure(
            self.found, number, self.chosen.dataset, {self.network: model}, self.sought
        )
        with waiting.turn():
            made.plan()  # the networks run here, once
        return self.figures.keep((self.mark, number), made)

    def of(self, chosen: Chosen) -> "Searched":
        """Return the same search, of the data set as it was read now if it is that: uploads that
        are read again lie in another folder."""
        return replace(self, chosen=chosen) if chosen.mark == self.chosen.mark else self


def _figures() -> Kept[Figure]:
    return Kept(lambda _figure: 1, _MOST_FIGURES, _MOST_FIGURES)


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
    figures = _figures() if shared else state.STRONGEST_FIGURES.once(_figures)
    made = Searched(mark, chosen, network, sought, found, folder, own, figures)
    own.results[mark] = made
    return RESULTS.keep(made, shared)
