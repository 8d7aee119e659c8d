"""Weights of library networks: downloaded, random, or from a file of the user's."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from urllib.error import URLError
from urllib.request import getproxies

import torch
from torch import nn

from errors import AttentionVizError, CheckpointError, MachineError
from models.checkpoints.containers.read import read
from models.zoo.wrapped.libraries.names import LibraryName

_WAIT_S = 4
_SEED = 0
_HUB = Lock()


@contextmanager
def downloading(wanted: LibraryName, host: str) -> Iterator[None]:
    """Say in one line what prevents a download: no connection, no such network.

    Without a connection nothing is asked of the hub, so that what is on this machine loads at once
    and the rest is refused at once.
    """
    try:
        with nullcontext() if wanted.download and reaches(host) else _offline():
            yield
    except AttentionVizError:
        raise
    except (OSError, URLError) as problem:
        said = " ".join(str(problem).split()).partition(".")[0][:160]
        raise MachineError(
            f"The weights of {wanted.library}:{wanted.name} are not on this machine and could not "
            f"be downloaded from {host} ({said}); connect to the internet, check the name, or give "
            "a file with ?weights=PATH."
        ) from problem


def reaches(host: str) -> bool:
    """Tell whether a host answers; behind a proxy the libraries find out themselves."""
    if getproxies().get("https"):
        return True
    try:
        with socket.create_connection((host, 443), timeout=_WAIT_S):
            return True
    except OSError:
        return False


def check_here(wanted: LibraryName, url: str) -> None:
    """Refuse weights of torch's own hub that are not on this machine, where none are fetched."""
    place = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not wanted.download and not place.is_file():
        raise OSError("nothing is downloaded by a link")


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the hub's client from asking, in the meantime."""
    from huggingface_hub import constants  # imported late: with the library that needs it

    with _HUB:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = before


@contextmanager
def random_weights() -> Iterator[None]:
    """Make the random weights of networks that are built here always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        yield


def fill_from(module: nn.Module, path: str) -> None:
    """Fill a module with the weights of a file, whole; CheckpointError where it is another's.

    The file is read as every checkpoint is: nothing in it is run.
    """
    found = read(Path(path))
    own = module.state_dict()
    tensors = {name.removeprefix("module."): value for name, value in found.tensors.items()}
    missing, more = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    other = [name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape]
    if missing or more or other:
        first = (missing or more or other)[0]
        fault = "is missing" if missing else "is not in it" if more else "has another size in it"
        raise CheckpointError(
            f"{found.name} does not fit this network: {first} {fault} ({len(missing)} missing, "
            f"{len(more)} too many, {len(other)} of other sizes); give the weights of this network."
        )
    module.load_state_dict(tensors)
