"""What a family of checkpoints is: its mark, its key table, and what its code implies."""

from collections.abc import Callable
from dataclasses import dataclass

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

    ``mark`` matches a key that only this family has (shared prefixes taken off); ``prepare``
    rearranges tensors before the table, ``describe`` makes the spec of its result.
    ``data`` is the list of class names of the one data set that its authors publish networks for,
    if it is one.
    """

    name: str
    title: str
    mark: str
    table: KeyTable
    describe: Callable[[Renamed, Facts], NetworkSpec]
    prepare: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
    data: str = ""


@dataclass(frozen=True)
class Unsupported:
    """A format that is recognised by its ``mark`` and cannot be used, with the reason."""

    mark: str
    reason: str


def function_ask(**found: object) -> Ask:
    """Return the question for the pairwise function, which metadata and names of all families
    answer in the same words."""
    told = r"(?i)\b(?:nl_)?(?:mode|instantiation|function|nl_type)['\"]?\s*[=:]\s*['\"]?"
    return Ask(
        "function",
        "Which pairwise function was the network trained with?",
        FUNCTIONS,
        metadata=(
            (told + "dot_?product", "dot_product"),
            (told + "(?:embedded_?gaussian|softmax)", "embedded_gaussian"),
        ),
        file_name=(("dot_?product", "dot_product"), ("embedded_?gaussian", "embedded_gaussian")),
        **found,
    )


def scale_ask(**found: object) -> Ask:
    """Return the question whether theta . phi is divided by sqrt(C')."""
    return Ask(
        "scale", "Does the network divide theta . phi by the root of C'?", ("no", "yes"), **found
    )


def never_scaled(_function: str) -> Ask:
    """Return the question of a family that does not divide at all."""
    return scale_ask(only="no")


def always_scaled(_function: str) -> Ask:
    """Return the question of a family that always divides."""
    return scale_ask(only="yes")


def softmax_scaled(function: str) -> Ask | None:
    """Return the question of a family that always divides before a softmax, else never."""
    return scale_ask(only="yes") if function == "embedded_gaussian" else None


def nonlocal_spec(
    renamed: Renamed,
    facts: Facts,
    function: Ask,
    scale: Callable[[str], Ask | None],
    **implied: object,
) -> NonLocalSpec | None:
    """Return the NL block that the tensors hold, or None.

    ``scale`` gives the question of scaling for a pairwise function, None where the family never
    scales it; ``implied`` is what the family's code implies.
    """
    prefix = first_block(renamed.tensors)
    if prefix is None:
        return None
    options = nonlocal_facts(renamed.tensors, prefix)
    if "function" in options:
        facts.note("function", options["function"])
    else:
        options["function"] = facts.settle(function)
    asked = scale(options["function"]) if options["function"] in FUNCTIONS else None
    scaled = asked is not None and facts.settle(asked) == "yes"
    if asked is None:
        facts.note("scale", "no", "the family's code")
    _note_pooling(facts, str(implied.get("pool_keys", "none")))
    return NonLocalSpec(**options, scale=scaled, **implied)


def _note_pooling(facts: Facts, pooled: str) -> None:
    """Pooling behind a convolution shows in the names of its Sequential; pooling before does
    not."""
    words = {"none": "not", "after": "after their convolutions", "before": "before theirs"}
    facts.note(
        "keys pooled", words[pooled], "the family's code" if pooled == "before" else "weights"
    )


def pooled_after(renamed: Renamed) -> str:
    """Return "after" when phi and g are in a Sequential with a max-pool: their names have .0."""
    sequential = any(".g.0." in key for key in renamed.renamed)
    return "after" if sequential else "none"
