"""Specs as plain JSON values and back."""

from dataclasses import asdict, fields, is_dataclass

from errors import SpecError
from models.specs.block import BLOCK_KINDS
from models.specs.detection import DetectorInput, DetectorSpec, RCNNSpec, SSDSpec
from models.specs.gate import GATE_KINDS
from models.specs.network import (
    CompactSpec,
    DigitSpec,
    LiteSpec,
    ModelSpec,
    NetworkSpec,
    Preprocessing,
    TemporalSpec,
)

NETWORK_KINDS: dict[str, type] = {
    "resnet": ModelSpec,
    "compact": CompactSpec,
    "digits": DigitSpec,
    "lite": LiteSpec,
    "rcnn": RCNNSpec,
    "ssd": SSDSpec,
}
_PARTS: dict[str, dict[str, type]] = {
    "block": BLOCK_KINDS,
    "gate": GATE_KINDS,
    "head_block": BLOCK_KINDS,
    "neck_block": BLOCK_KINDS,
}


def spec_to_dict(spec: NetworkSpec | DetectorSpec) -> dict:
    """Return ``spec`` as plain JSON values; ``spec_from_dict`` undoes it."""
    plain = {"kind": _kind(NETWORK_KINDS, spec), **asdict(spec)}
    own = {field.name: getattr(spec, field.name) for field in fields(spec)}
    for part, kinds in _PARTS.items():
        if own.get(part) is not None:
            plain[part] = {"kind": _kind(kinds, own[part]), **plain[part]}
    if is_dataclass(own.get("trunk")):
        plain["trunk"] = spec_to_dict(own["trunk"])
    return plain


def spec_from_dict(plain: dict) -> NetworkSpec | DetectorSpec:
    """Build the spec that ``spec_to_dict`` wrote; SpecError names an unknown or wrong entry."""
    try:
        entries = {name: _tuples(value) for name, value in plain.items()}
        made = NETWORK_KINDS[entries.pop("kind", "resnet")]
        for part, kinds in _PARTS.items():
            if entries.get(part) is not None:
                entries[part] = _tagged(kinds, entries[part])
        of_input = DetectorInput if made in (RCNNSpec, SSDSpec) else Preprocessing
        for part, cls in (("preprocessing", of_input), ("temporal", TemporalSpec)):
            if part in entries:
                entries[part] = cls(**entries[part])
        if isinstance(entries.get("trunk"), dict):
            entries["trunk"] = spec_from_dict(entries["trunk"])
        return made(**entries)
    except (TypeError, KeyError, ValueError, AttributeError) as problem:
        raise SpecError(
            "The network description has an entry that is not known or of the wrong type "
            f"({problem}); write it as models.specs.spec_files.spec_to_dict does."
        ) from problem


def _kind(kinds: dict[str, type], value: object) -> str:
    return next(name for name, cls in kinds.items() if type(value) is cls)


def _tagged(kinds: dict[str, type], plain: dict) -> object:
    entries = dict(plain)
    return kinds[entries.pop("kind")](**entries)


def _tuples(value: object) -> object:
    """JSON has lists where specs have tuples, at every depth."""
    if isinstance(value, dict):
        return {name: _tuples(inner) for name, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
