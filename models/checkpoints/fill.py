"""Tensors into a network: all of them or none, every key, shape and value verified."""

from collections.abc import Mapping

from torch import Tensor, nn

from errors import CheckpointError, counted

_COUNTER = "num_batches_tracked"
"""Ending of the counters that training keeps; no file has to have them."""
_MOST_LISTED = 3
_PIECE = 2**22
"""Values that are checked at once."""


def _of_another_shape(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> set[str]:
    both = wanted.keys() & tensors.keys()
    return {key for key in both if wanted[key].shape != tensors[key].shape}


def _is_finite(value: Tensor) -> bool:
    """Tell whether all values are finite, looked at in pieces: each takes memory of its own."""
    if not (value.is_floating_point() or value.is_complex()):
        return True
    return all(bool(piece.isfinite().all()) for piece in value.reshape(-1).split(_PIECE))


def _listed(what: str, keys: list[str]) -> str:
    more = ", ..." if len(keys) > _MOST_LISTED else ""
    return f"{counted(len(keys), 'key')} {what} ({', '.join(keys[:_MOST_LISTED])}{more})"


def check_fit(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Refuse tensors that are not exactly the network's; CheckpointError names the first keys.

    Of ``network`` only names and shapes are looked at: an outline without memory will do.
    """
    wanted = {k: v for k, v in network.state_dict().items() if not k.endswith(_COUNTER)}
    faults = {
        "missing": wanted.keys() - tensors.keys(),
        "not known": tensors.keys() - wanted.keys(),
        "of another shape": _of_another_shape(wanted, tensors),
        "not finite": {k for k in wanted if k in tensors and not _is_finite(tensors[k])},
    }
    listed = "; ".join(_listed(what, sorted(keys)) for what, keys in faults.items() if keys)
    if listed:
        raise CheckpointError(
            f"{name} does not fit the network it describes: {listed}. Nothing was loaded."
        )


def fill(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Copy ``tensors`` into ``network``, all of them or, with a CheckpointError, none."""
    check_fit(network, tensors, name)
    network.load_state_dict(tensors, strict=False)  # which converts one tensor at a time
