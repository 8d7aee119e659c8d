"""Networks over the pictures of a batch: each picture with what every network left of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from errors import AttentionVizError
from models import devices
from models.loaded import LoadedModel
from viz.attention import forward, pipeline
from viz.attention.captures import Capture
from viz.datasets.sample import Sample
from viz.geometry import Mode
from viz.types import Clip, ModelInput


class Prepared(NamedTuple):
    """A picture, and what each network is given of it."""

    clip: Clip
    inputs: tuple[ModelInput, ...]


class Passed(NamedTuple):
    """A picture with its inputs and captures, one of each network."""

    sample: Sample
    clip: Clip
    inputs: tuple[ModelInput, ...]
    captures: tuple[Capture, ...]


@dataclass(frozen=True)
class Networks:
    """Networks that go over pictures, and how a picture becomes their input."""

    models: tuple[LoadedModel, ...]
    mode: Mode = "fit"
    size: int | None = None

    @property
    def at_once(self) -> int:
        """How many pictures their device takes together."""
        return max(devices.at_once(devices.of(model.network)) for model in self.models)

    @property
    def on_processor(self) -> bool:
        """Whether all of them compute on the processor."""
        return all(devices.of(model.network).type == devices.CPU for model in self.models)

    def load(self, sample: Sample) -> Clip | Prepared:
        """Read a picture: what threads of the loader do; for a GPU they prepare it, too.

        A processor's forward passes need all its cores at the same moment: threads beside them that
        compute with teams of their own would make each of their steps wait.
        """
        clip = sample.clip()
        return clip if self.on_processor else self.prepared(clip)

    def prepared(self, clip: Clip) -> Prepared:
        """Return a picture with what each network is given of it."""
        inputs = (pipeline.prepare(model, clip, self.mode, self.size) for model in self.models)
        return Prepared(clip, tuple(inputs))

    def _ready(self, read: Clip | Prepared) -> Prepared | AttentionVizError:
        """Return what ``load`` gave as the networks take it, or why they do not."""
        try:
            return self.prepared(read) if isinstance(read, Clip) else read
        except AttentionVizError as problem:
            return problem

    def passes(
        self, loaded: Iterator[tuple[Sample, Any]]
    ) -> Iterator[tuple[Sample, Passed | AttentionVizError]]:
        """Yield what the networks left of each picture, or why they left nothing."""
        while chunk := list(islice(loaded, self.at_once)):
            ready: list[tuple[Sample, Prepared]] = []
            for sample, read in chunk:
                found = self._ready(read)
                if isinstance(found, Prepared):
                    ready.append((sample, found))
                else:
                    yield sample, found
            made = [
                forward.captures(model, [found.inputs[k] for _sample, found in ready])
                for k, model in enumerate(self.models)
            ]
            for (sample, found), captures in zip(ready, zip(*made, strict=True), strict=True):
                failed = [one for one in captures if isinstance(one, AttentionVizError)]
                yield sample, failed[0] if failed else Passed(sample, *found, captures)
