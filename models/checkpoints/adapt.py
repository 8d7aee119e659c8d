"""From a raw checkpoint to a spec and tensors under our names, every key accounted for."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from errors import CheckpointError, SpecError
from models.build import Network, outline
from models.checkpoints.containers.read import RawCheckpoint
from models.checkpoints.families.data_sets import (
    settle_class_names,
    suggestion,
    with_input_size,
)
from models.checkpoints.families.facts import Facts
from models.checkpoints.families.family import Family
from models.checkpoints.families.key_tables import Renamed, rename
from models.checkpoints.families.registry import family_of
from models.checkpoints.fill import check_fit
from models.describe import network_name
from models.report import Fact, Report
from models.specs.network import NetworkSpec

NO_ANSWERS: Mapping[str, str] = {}

_WRAPPERS = ("module.", "_orig_mod.")
"""Prefixes that DataParallel and torch.compile put before every key, once or more often."""


@dataclass(frozen=True, eq=False)
class Understood:
    """A checkpoint as one of our networks: what to build, what fills it, and the account."""

    family: Family
    spec: NetworkSpec
    tensors: dict[str, Tensor]
    report: Report
    class_names: tuple[str, ...] = ()


def understand(
    raw: RawCheckpoint, answers: Mapping[str, str], published: Mapping[str, str] = NO_ANSWERS
) -> Understood:
    """Return the network that a checkpoint holds; CheckpointError, or UndecidedError to ask.

    ``published`` is what the publisher of exactly this file says of it.
    """
    bare = unwrapped(raw.tensors)
    family = family_of(bare, raw.name)
    try:
        prepared = family.prepare(bare)
    except SpecError as problem:
        raise CheckpointError(f"{raw.name} cannot be used. {problem}") from problem
    renamed = rename(family.table, prepared, raw.name)
    renamed = Renamed(halve_concatenations(renamed.tensors), renamed.renamed, renamed.ignored)
    facts = Facts(raw.name, raw.metadata, answers, published, family.data)
    try:
        described = family.describe(renamed, facts)
        names = settle_class_names(described, facts)
        spec = with_input_size(described, names, facts)
        network = outline(spec)
    except KeyError as missing:
        raise CheckpointError(
            f"{raw.name} looks like {family.title} but {missing} is missing. Nothing was loaded."
        ) from missing
    except (IndexError, ZeroDivisionError) as problem:
        raise CheckpointError(
            f"{raw.name} holds a tensor whose shape no network of {family.title} has (conv1, fc or "
            "a block's projection.g or expand). Nothing was loaded."
        ) from problem
    except SpecError as problem:
        raise CheckpointError(f"{raw.name} cannot be used. {problem}") from problem
    settled = (*_shown(spec, network), *facts.finish())
    tensors = without_unit_sizes(renamed.tensors, network)
    check_fit(network, tensors, raw.name)
    # Wrappers and numbers were taken off one by one, in order: here they are as written.
    written = dict(zip(prepared, raw.tensors, strict=True))
    report = Report(
        family.title,
        raw.container,
        settled,
        {written[key]: ours for key, ours in renamed.renamed.items()},
        {**raw.ignored, **{written[key]: why for key, why in renamed.ignored.items()}},
        tuple(filter(None, [suggestion(spec, names)])),
    )
    return Understood(family, spec, tensors, report, names)


def _shown(spec: NetworkSpec, network: Network) -> tuple[Fact, ...]:
    """Return the facts that the weights show of every network."""
    shown = [Fact("network", network_name(spec), "weights")]
    if network.places:
        shown.append(Fact("blocks", ", ".join(p.label for p in network.places), "weights"))
    return (*shown, Fact("classes", str(spec.num_classes), "weights"))


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take off every prefix that a wrapper put before all keys."""
    bare = dict(tensors)
    while bare:
        prefix = next((w for w in _WRAPPERS if all(key.startswith(w) for key in bare)), None)
        if prefix is None:
            break
        bare = {key.removeprefix(prefix): value for key, value in bare.items()}
    return bare


def halve_concatenations(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Split w_f of the concatenation (1, 2C', ...) into the halves for theta and for phi."""
    halved: dict[str, Tensor] = {}
    for key, value in tensors.items():
        if key.endswith(".concat.weight"):
            block = key.removesuffix("concat.weight") + "projection."
            query, key_half = value.chunk(2, dim=1)
            halved |= {
                block + "query_weight.weight": query,
                block + "key_weight.weight": key_half,
            }
        else:
            halved[key] = value
    return halved


def without_unit_sizes(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Reshape tensors that differ from ours by sizes of one only, as 1 x 1 x 1 kernels do."""
    wanted = {key: value.shape for key, value in network.state_dict().items()}

    def fitted(key: str, value: Tensor) -> Tensor:
        shape = wanted.get(key)
        if shape is None or shape == value.shape:
            return value
        same = [n for n in shape if n != 1] == [n for n in value.shape if n != 1]
        return value.reshape(shape) if same else value

    return {key: fitted(key, value) for key, value in tensors.items()}
