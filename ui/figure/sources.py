"""The clips and networks of this session behind a recipe. No path out of a recipe is opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from errors import InputError
from models.loaded import LoadedModel
from models.specs.network import NetworkSpec
from models.zoo import cache
from models.zoo.published import PUBLISHED
from ui import state
from ui.session import loaders, own_networks
from ui.session import pins as session_pins
from ui.session.missing import SHORT
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.geometry import Mode
from viz.types import Clip

MOST_BYTES = 1 << 30
"""What a session's captures may take together; above, the oldest are made anew when needed."""

_GAUSSIAN = "-gaussian"
ClipKey = tuple[str, tuple[int, ...], tuple[float, float] | None]


class CaptureKey(NamedTuple):
    """What tells one forward pass from another."""

    clip: ClipKey
    spec: NetworkSpec
    sha256: str
    mode: Mode
    size: int


@dataclass
class Memo:
    """What a session holds for its figures as long as its pins are there: networks, and what
    their forward passes left."""

    models: dict[Network, LoadedModel] = field(default_factory=dict)
    captures: dict[CaptureKey, Capture] = field(default_factory=dict)

    def prune(self, clips: Iterable[ClipKey], networks: Iterable[Network]) -> None:
        """Drop what no pin needs any more."""
        clips, networks = set(clips), set(networks)
        held = {self.models[one].sha256 for one in networks if one in self.models}
        for key in list(self.captures):
            if key.clip not in clips or key.sha256 not in held:
                del self.captures[key]
        for network in [one for one in self.models if one not in networks]:
            del self.models[network]

    def limit(self) -> None:
        """Drop the oldest captures, but never the last, while they take too much memory."""
        sizes = {key: capture.nbytes for key, capture in self.captures.items()}
        while sum(sizes.values()) > MOST_BYTES and len(sizes) > 1:
            oldest = next(iter(sizes))
            del sizes[oldest], self.captures[oldest]


class SessionSources:
    """Sources of viz.figure.resolve: clips of the pins, networks of catalogue and session.

    A network runs once for a medium, mode and size. What is in the memo is found in any thread;
    the first look for it needs the session.
    """

    def __init__(self, clips: Mapping[ClipKey, Clip], memo: Memo) -> None:
        self._clips, self._memo = dict(clips), memo

    def clip(self, medium: Medium) -> Clip:
        """Return the frames of a medium; InputError with its sha256 where they are not pinned."""
        found = self._clips.get((medium.sha256, medium.frames, medium.levels))
        if found is None:
            raise InputError(
                f"{medium.path} (sha256 {medium.sha256[:SHORT] or 'not known'}) is not "
                "pinned; pin it on the Explore page, or open the recipe again and give the file."
            )
        return found

    def model(self, network: Network) -> LoadedModel:
        """Return a network; InputError where it is not here, or where its weights are others."""
        known = self._memo.models
        if network not in known:
            found = found_network(network)
            known[network] = found if found.names_given else found.with_names(network.classes)
        return known[network]

    def capture(self, medium: Medium, view: View) -> Capture:
        """Return what one forward pass left."""

        model, clip = self.model(view.network), self.clip(medium)
        mode, size = pipeline.effective(model.spec, view.mode, view.size)
        key = CaptureKey(_key(clip), model.spec, model.sha256, mode, size)
        if key not in self._memo.captures:
            self._memo.captures[key] = loaders.captured(clip, model.id, mode, size)
            self._memo.limit()
        found = self._memo.captures[key]
        if found.model is None or found.model.class_names == model.class_names:
            return found
        return replace(found, model=model)  # with the recipe's names of classes


def _key(clip: Clip) -> ClipKey:
    return clip.sha256, clip.numbers, clip.levels


def sources() -> SessionSources:
    """Return the sources of this session's pins; what no pin needs is dropped."""
    pins = session_pins.pins()
    memo = state.FIGURE_MEMO.once(Memo)
    clips = {_key(clip): clip for pin in pins for clip in pin.clips}
    memo.prune(clips, networks_of(pin.reference for pin in pins))
    return SessionSources(clips, memo)


def networks_of(references: Iterable[Reference]) -> tuple[Network, ...]:
    """Return the networks of references, each once."""
    return tuple(dict.fromkeys(view.network for one in references for view in one.views))


def found_network(network: Network) -> LoadedModel:
    """Return a network by its id, or this session's own of the same weights.

    InputError names it and its sha256, or both hashes where the one of that name is another.
    Nothing is downloaded, and no file that a recipe names is opened.
    """
    named = _named(network.id)
    if named is not None and network.sha256 in ("", named.sha256):
        return named
    for entry in own_networks.entries():
        own = own_networks.get(entry.id)
        if own is not None and own.sha256 == network.sha256:
            return own
    if named is None:
        raise InputError(
            f"The network {network.id} (sha256 {network.sha256[:SHORT] or 'not known'}) is not "
            "here; get it, or open its checkpoint, on the Models page."
        )
    raise InputError(
        f"The network {network.id} is another one here: its weights have sha256 "
        f"{named.sha256[:SHORT]}, the recipe's had {network.sha256[:SHORT]}. Open the checkpoint "
        "that was used on the Models page."
    )


def _named(name: str) -> LoadedModel | None:
    """Return the network that the catalogue or the session has under a name, if it is here."""
    own = own_networks.get(name)
    if own is not None:
        return own
    rows = {row.id: row for row in PUBLISHED}
    row = rows.get(name) or rows.get(name.removesuffix(_GAUSSIAN))
    if row is not None and not cache.is_cached(row):
        return None
    known = {entry.id for entry in loaders.catalogue_entries() if not entry.problem}
    return loaders.network(name) if name in known else None
