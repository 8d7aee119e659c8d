"""Cached loading: networks for everybody, captures for one session."""

import streamlit as st

from models import devices
from models.loaded import LoadedModel
from models.specs.network import NetworkSpec
from models.zoo import catalogue
from models.zoo.catalogue import Entry
from models.zoo.wrapped.libraries import registry
from models.zoo.wrapped.libraries.names import check_public, is_library_name
from ui import state
from ui.guard import guarded, label
from ui.server import settings, waiting
from ui.server.kept import Kept
from ui.server.turns import DEVICE
from ui.server.visitor import stop_if_ended
from ui.server.waiting import stoppable
from ui.session import device, own_networks
from ui.session.media.medium import is_example, key_of
from viz.attention import pipeline, queries
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.kind import top
from viz.attention.kinds.registry import kind_of
from viz.attention.query_dependence import query_dependence
from viz.evaluation.block_statistics import block_statistics
from viz.geometry import Mode
from viz.types import Clip

_KEPT = 12
_EXAMPLES_MB = 256
_MB = 2**20


def network_of_all(name: str, place: str, for_long: bool = False) -> LoadedModel:
    """Return a network of the catalogue on a device, shared between all users; its lock guards the
    forward pass. ``for_long`` is a second one, so that nobody waits for its lock while it works
    long."""
    # Streamlit's cache tells a default from the same value when it is given.
    return _shared_network(name, place, for_long)


@st.cache_resource(max_entries=6, show_spinner=False)
def _shared_network(name: str, place: str, for_long: bool) -> LoadedModel:
    del for_long
    return catalogue.load(name, place)


def network(name: str, for_long: bool = False) -> LoadedModel:
    """Return a network: this session's own, or one shared between all users; its lock guards the
    forward pass. It stands on this session's device. ``for_long`` gets one of its own for work
    that takes long."""
    model, place = own_networks.get(name), device.chosen()
    if model is None:
        return network_of_all(name, str(place), for_long)
    if devices.of(model.network) != place:
        if is_library_name(name):  # others may look at the same one
            return by_name(name, download=False)
        devices.moved(model.network, place)
    return model


def has_gates(spec: NetworkSpec) -> bool:
    """Tell whether a network has gates inside its units."""
    return getattr(spec, "gate", None) is not None


def has_one_size(spec: NetworkSpec) -> bool:
    """Tell whether a network takes one input size only: the classifier of digits does."""
    return spec.preprocessing.fixed


def _kept() -> Kept[Capture]:
    most = settings.current().session_capture_mb * _MB
    return state.CAPTURES.once(lambda: Kept(lambda capture: capture.nbytes, most, _KEPT))


@st.cache_resource(show_spinner=False)
def of_examples() -> Kept[Capture]:
    """Return the captures of the examples by shared networks: the same for everybody."""
    return Kept(lambda capture: capture.nbytes, _EXAMPLES_MB * _MB, _KEPT)


def _key(model: LoadedModel, clip: Clip, mode: Mode, size: int) -> tuple[object, ...]:
    network = f"{model.sha256} {model.spec} {devices.of(model.network)}"
    return key_of(clip), model.id, network, mode, size


def captured_example(model: LoadedModel, clip: Clip, mode: Mode, size: int) -> Capture:
    """Return the capture of an example by a shared network, outside of a session too."""
    mode, size = pipeline.effective(model.spec, mode, size)
    key, kept = _key(model, clip, mode, size), of_examples()
    with DEVICE.turn("", lambda _place, _seconds: None):
        return kept.once(key, lambda: pipeline.capture(model, clip, mode, size), lambda: None)


def captured(clip: Clip, name: str, mode: Mode, size: int) -> Capture:
    """Return the capture of a clip: one forward pass per clip, network, mode and size."""
    own = own_networks.get(name) is not None
    model = network(name)
    mode, size = pipeline.effective(model.spec, mode, size)
    key = _key(model, clip, mode, size)
    kept = of_examples() if not own and is_example(clip.sha256) else _kept()
    if (found := kept.get(key)) is not None:
        return found
    pixels = len(clip.frames) * size**2
    if waiting.is_long(name, pixels):
        model = network(name, for_long=True)
    words = f"Running {label(model.id)} at {size} px"
    with (
        stoppable(words, ("capture", *key)) as watch,
        waiting.run_of(name, pixels, model.lock.locked()),
    ):
        # Waited for inside of the turn: whoever runs it has a turn, too, and waits for nobody.
        return kept.once(
            key, lambda: pipeline.capture(model, clip, mode, size, watch), stop_if_ended
        )


def dependence(capture: Capture, block: BlockCapture) -> float:
    """Return the query-dependence number of a block, computed once a capture."""
    key = ("query dependence", block.label, block.kind)
    return capture.memory.once(key, lambda: query_dependence(block))


def statistics(capture: Capture, block: BlockCapture) -> dict[str, float]:
    """Return what the maps of a block are like, computed once a capture."""
    key = ("statistics", block.label, block.kind)
    return capture.memory.once(key, lambda: block_statistics(block))


def evidence(capture: Capture, block: BlockCapture, index: int, count: int) -> list[int]:
    """Return the ranked maps that speak most for class ``index``: one backward pass a class."""

    def scores() -> list[int]:
        pixels = capture.frames * capture.geometry.input_width * capture.geometry.input_height
        model = capture.model
        # Backwards it takes about twice the time.
        with (
            waiting.run_of(model.id, 2 * pixels, model.lock.locked()),
            st.spinner("One backward pass"),
        ):
            return top(kind_of(block).class_scores(capture, block, index))

    return capture.memory.once(("evidence", block.label, index), scores)[:count]


@st.cache_data(max_entries=1, show_spinner=False)
def _catalogue_entries() -> list[Entry]:
    return catalogue.entries()


def forget_entries() -> None:
    """Read the catalogue anew: a network was downloaded or removed."""
    _catalogue_entries.clear()


def gated_entries() -> list[Entry]:
    """Return the networks at hand that have gates: this session's own, then the catalogue's."""
    known = [*own_networks.entries(), *_catalogue_entries()]
    return [e for e in known if e.spec is not None and has_gates(e.spec)]


@st.cache_resource(max_entries=2, show_spinner="Loading the network")
def _of_library(name: str, download: bool, place: str) -> LoadedModel:
    return catalogue.ready(registry.load(name, download=download), place)


def by_name(name: str, download: bool = True) -> LoadedModel:
    """Return a network of a library by its name, and list it in this session from now on.

    A link downloads nothing, nor do visitors of a shared server, and no name means a place on this
    machine.
    """
    check_public(name)
    download = download and settings.current().visitors_change_cache
    model, place = own_networks.get(name), device.chosen()
    if model is None or devices.of(model.network) != place:
        model = _of_library(name, download, str(place))
    own_networks.add(model, f"{model.spec.architecture}, {model.spec.source}")
    return model


def _from_address() -> None:
    """Load the networks of libraries that the address bar names: a link shows them again."""
    for key in (state.NETWORK, state.BESIDE):
        name = key.get() or st.query_params.get(key.name, "")
        if is_library_name(name) and own_networks.get(name) is None:
            with guarded():
                by_name(name, download=False)


def catalogue_entries() -> list[Entry]:
    """Return the networks with a block to look at: bundled, downloaded, then this session's own;
    damaged files too."""
    _from_address()
    known = [*_catalogue_entries(), *own_networks.entries()]
    return [e for e in known if e.problem or (e.spec is not None and queries.block_labels(e.spec))]
