"""From a raw checkpoint to a spec and tensors under our names, every key accounted for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

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
from models.checkpoints.families.key_tables import Renamed, rename, unknown_keys
from models.checkpoints.families.structure import foreign_head
from models.checkpoints.fill import check_fit
from models.checkpoints.keys.left_out import LeftOut
from models.checkpoints.keys.own_trunk import with_loose_blocks
from models.checkpoints.keys.prefixes import PREFIX, Located, beside, locate
from models.describe import network_name
from models.report import Fact, Report
from models.specs.network import NetworkSpec

_ANOTHER = "of another network in the file"
NO_ANSWERS: Mapping[str, str] = {}


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
    located = locate(raw.tensors, raw.name, answers.get(PREFIX))
    facts = Facts(raw.name, raw.metadata, answers, published, located.family.data)
    left_out = LeftOut(facts)
    with _refusals(raw.name, located.family):
        located = with_loose_blocks(located, raw.tensors, facts)
        family = located.family
        renamed = _renamed(located, left_out, raw.name)
        described = family.describe(renamed, facts)
        names = settle_class_names(described, facts)
        spec = with_input_size(described, names, facts)
        network = outline(spec)
    settled = facts.finish()
    renamed = _without_strangers(renamed, network, located, left_out)
    tensors = without_unit_sizes(renamed.tensors, network)
    check_fit(network, tensors, f"{raw.name}, read as {family.title},")
    chosen = () if raw.weights is None else (raw.weights,)
    report = Report(
        family.title,
        raw.container,
        (*chosen, *located.facts, *_shown(spec, network), *settled, *left_out.facts),
        {located.written[key]: ours for key, ours in renamed.renamed.items()},
        {
            **raw.ignored,
            **_outside(located, left_out, raw),
            **{located.written[key]: why for key, why in renamed.ignored.items()},
        },
        tuple(filter(None, [suggestion(spec, names)])),
    )
    return Understood(family, spec, tensors, report, names)


@contextmanager
def _refusals(name: str, family: Family) -> Iterator[None]:
    """Turn what tensors of other names and shapes raise into a refusal."""
    try:
        yield
    except KeyError as missing:
        raise CheckpointError(
            f"{name} looks like {family.title} but {missing} is missing. Nothing was loaded."
        ) from missing
    except (IndexError, ZeroDivisionError) as problem:
        raise CheckpointError(
            f"{name} holds a tensor whose shape no network of {family.title} has (conv1, fc or "
            "a block's projection.g or expand). Nothing was loaded."
        ) from problem
    except SpecError as problem:
        raise CheckpointError(f"{name} cannot be used. {problem}") from problem


def _renamed(located: Located, left_out: LeftOut, name: str) -> Renamed:
    """Return a network's tensors under our names; heads that are not the family's left out."""

    def leave(key: str) -> str | None:
        return left_out.reason(located.written[key], key, located.tensors[key])

    read_as = f"{name}, read as {located.family.title},"
    renamed = rename(located.family.table, located.tensors, read_as, leave)
    tensors = halve_concatenations(renamed.tensors)
    reason = foreign_head(tensors)
    if not reason:
        return replace(renamed, tensors=tensors)
    return _leaving(renamed, tensors, {"fc.weight": reason, "fc.bias": reason})


def _without_strangers(
    renamed: Renamed, network: nn.Module, located: Located, left_out: LeftOut
) -> Renamed:
    """Leave out what a family's table lets through and its network does not have."""
    wanted = network.state_dict().keys()
    written = {ours: located.written[theirs] for theirs, ours in renamed.renamed.items()}
    reasons = {
        key: left_out.reason(written[key], key, value)
        for key, value in renamed.tensors.items()
        if key not in wanted and key in written
    }
    return _leaving(renamed, renamed.tensors, {k: why for k, why in reasons.items() if why})


def _leaving(renamed: Renamed, tensors: Mapping[str, Tensor], why: Mapping[str, str]) -> Renamed:
    """Return what is left of ``tensors`` without the keys in ``why``, which are accounted for."""
    kept = {theirs: ours for theirs, ours in renamed.renamed.items() if ours not in why}
    dropped = {theirs: why[ours] for theirs, ours in renamed.renamed.items() if ours in why}
    left = {key: value for key, value in tensors.items() if key not in why}
    return Renamed(left, kept, {**renamed.ignored, **dropped})


def _outside(located: Located, left_out: LeftOut, raw: RawCheckpoint) -> dict[str, str]:
    """Return the keys beside the network with the reasons why they are left out."""
    reasons = {
        key: _ANOTHER
        if key.startswith(located.others)
        else left_out.reason(key, beside(key, located.prefix), raw.tensors[key])
        for key in located.outside
    }
    unknown = [key for key, why in reasons.items() if not why]
    if unknown:
        raise unknown_keys(unknown, f"{raw.name}, read as {located.family.title},")
    return {key: why for key, why in reasons.items() if why}


def _shown(spec: NetworkSpec, network: Network) -> tuple[Fact, ...]:
    """Return the facts that the weights show of every network."""
    shown = [Fact("network", network_name(spec), "weights")]
    if network.places:
        shown.append(Fact("blocks", ", ".join(p.label for p in network.places), "weights"))
    return (*shown, Fact("classes", str(spec.num_classes), "weights"))


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
