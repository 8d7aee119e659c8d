"""What a family of checkpoints is: its mark, its key table, and what its code implies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.key_tables import KeyTable, Renamed
from models.checkpoints.families.structure import first_block, nonlocal_facts
from models.specs.block import NonLocalSpec
from models.specs.network import NetworkSpec

FUNCTIONS = ("embedded_gaussian", "dot_product")
"""Pairwise functions that have the same weights; the others are seen in the keys."""


@dataclass(frozen=True)
class Family:
    """One published format.

    ``mark`` matches a key that only this family has (``module.`` prefixes taken off); ``prepare``
    rearranges tensors before the table, ``describe`` makes the spec of its result.
    ``class_names`` maps a number of classes to the name of their list.
    """

    name: str
    title: str
    mark: str
    table: KeyTable
    describe: Callable[[Renamed, Facts], NetworkSpec]
    prepare: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
    class_names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unsupported:
    """A format that is recognised by its ``mark`` and cannot be used, with the reason."""

    mark: str
    reason: str


def function_ask(file_name: bool = True, **found: object) -> Ask:
    """Return the question for the pairwise function, answered by file names in all families."""
    named = (
        (r"dot[-_ ]?product|_dot", "dot_product"),
        (r"embedded[-_ ]?gaussian|embed", "embedded_gaussian"),
    )
    return Ask(
        "function",
        "Which pairwise function was the network trained with?",
        FUNCTIONS,
        file_name=named if file_name else (),
        **found,
    )


def scale_ask(**found: object) -> Ask:
    """Return the question whether theta . phi is divided by sqrt(C')."""
    return Ask(
        "scale", "Does the network divide theta . phi by the root of C'?", ("no", "yes"), **found
    )


def nonlocal_spec(
    renamed: Renamed, facts: Facts, function: Ask, scale: Callable[[str], str], **implied: object
) -> NonLocalSpec | None:
    """Return the NL block that the tensors hold, or None.

    ``scale`` gives "yes" or "no" for a pairwise function; ``implied`` is what the family's code
    implies.
    """
    prefix = first_block(renamed.tensors)
    if prefix is None:
        return None
    options = nonlocal_facts(renamed.tensors, prefix)
    if "function" in options:
        facts.note("function", options["function"])
    else:
        options["function"] = facts.settle(function)
    compared = options["function"] in FUNCTIONS
    scaled = compared and scale(options["function"]) == "yes"
    return NonLocalSpec(**options, scale=scaled, **implied)


def pooled_after(renamed: Renamed) -> str:
    """Return "after" when phi and g are in a Sequential with a max-pool: their names have .0."""
    sequential = any(".g.0." in key for key in renamed.renamed)
    return "after" if sequential else "none"
