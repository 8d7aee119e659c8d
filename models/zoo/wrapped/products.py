"""Products of queries and keys on their way to a softmax, for attention that is written out."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

_RECENT = 6


@dataclass(frozen=True, eq=False)
class Bias:
    """What is added to the logits of L windows and heads: values (K, Nq, Nk), and which of the K
    each gets, (L,)."""

    values: Tensor
    which: Tensor

    @staticmethod
    def of(added: Tensor, shape: tuple[int, ...]) -> "Bias":
        """Return what is added to logits of a shape (..., Nq, Nk), each different table once."""
        lead = shape[:-2]
        own = (1,) * (len(shape) - added.ndim) + tuple(added.shape[:-2])
        tables = math.prod(own)
        values = added.expand(*added.shape[:-2], *shape[-2:]).reshape(tables, *shape[-2:])
        which = torch.arange(tables).reshape(own).expand(lead).reshape(-1)
        return Bias(values, which)

    @property
    def nbytes(self) -> int:
        """What it takes as float32."""
        return 4 * self.values.numel()


@dataclass(eq=False)
class Product:
    """Logits, or what becomes them: scale q . k, and what was ``added``, of queries (..., Nq, d)
    and keys (..., Nk, d). ``known`` until something else is done to it."""

    result: Tensor
    queries: Tensor
    keys: Tensor
    scale: float = 1.0
    added: tuple[Bias, ...] = ()
    known: bool = True
    version: int = 0

    def explains(self, logits: Tensor) -> bool:
        """Tell whether logits (..., Nq, Nk) are what is known of them: nothing changed them in
        place unseen, and rows of theirs come out the same."""
        if not self.known or self.version != logits._version:
            return False
        own, queries, keys = joined(logits), joined(self.queries), joined(self.keys)
        if len(queries) != len(own) or any(len(one.which) != len(own) for one in self.added):
            return False
        for entry, row in ((0, 0), (len(own) - 1, own.shape[1] - 1)):
            made = self.scale * keys[entry] @ queries[entry, row]
            for one in self.added:
                made = made + one.values[one.which[entry], row]
            if not torch.allclose(made.float(), own[entry, row].float(), rtol=1e-2, atol=1e-3):
                return False
        return True


class Products:
    """The last products of a forward pass, followed through what is done to them."""

    def __init__(self) -> None:
        self._kept: deque[Product] = deque(maxlen=_RECENT)

    def __bool__(self) -> bool:
        """Whether there is a product to follow."""
        return bool(self._kept)

    def of(self, logits: Tensor) -> Product | None:
        """Return the product that a tensor is; the latest, where it was changed in place."""
        return next((p for p in reversed(self._kept) if p.result is logits), None)

    def forget(self) -> None:
        """Let go of all."""
        self._kept.clear()

    def add(self, factors: tuple[Tensor, Tensor], result: Tensor) -> None:
        """Note a product of queries and keys."""
        self._noted(Product(result, *factors))

    def _noted(self, product: Product) -> Product:
        product.version = product.result._version
        self._kept.append(product)
        return product

    def follow(self, func: Callable, args: tuple, kwargs: dict, result: Any) -> None:  # noqa: ANN401
        """Carry a product along what is done to it: scaled, reshaped, or something is added."""
        if func in _REORDERS or not isinstance(result, Tensor):
            return
        operands = _tensors(args, kwargs)
        product = next((p for one in operands if (p := self.of(one)) is not None), None)
        if product is None or result.numel() != product.result.numel():
            return
        other = next((one for one in args[:2] if one is not product.result), None)
        if func in _VIEWS:
            made = replace(product, result=result)
        elif func in _PLUS and isinstance(other, Tensor) and not kwargs:
            added = Bias.of(other, tuple(product.result.shape))
            made = replace(product, result=result, added=(*product.added, added))
        else:
            made = _scaled(product, func, args[:1], other)
            made = replace(made or replace(product, known=False), result=result)
        self._noted(made)


def multiplied(args: tuple, kwargs: dict) -> tuple[Tensor, Tensor] | None:
    """Return the queries (..., Nq, d) and keys (..., Nk, d) of a product with (..., d, Nk); None
    where it is none."""
    operands = _tensors(args, kwargs)
    if len(operands) == 2 and all(one.ndim >= 3 for one in operands):
        queries, keys = operands
        if queries.shape[-1] == keys.shape[-2] and queries.shape[:-2] == keys.shape[:-2]:
            return queries, keys.transpose(-2, -1)
    return None


def summed(args: tuple, kwargs: dict) -> tuple[Tensor, Tensor] | None:
    """Return the queries and keys of a product that is written as an equation,
    "bhid,bhjd->bhij"; None where it is none."""
    operands = _tensors(args, kwargs)
    if len(operands) != 2 or not isinstance(args[0], str):
        return None
    inputs, _, output = args[0].replace(" ", "").partition("->")
    first, _, second = inputs.partition(",")
    lead, ends = output[:-2], output[-2:]
    gone = (set(first) & set(second)) - set(output)
    if len(gone) != 1 or "." in inputs or len(lead) < 1 or ends[0] not in first:
        return None
    own = [(first, lead + ends[0]), (second, lead + ends[1])]
    if any(set(letters) != set(wanted) | gone for letters, wanted in own):
        return None
    queries, keys = (
        operand.permute(*(letters.index(one) for one in (*wanted, *gone)))
        for operand, (letters, wanted) in zip(operands, own, strict=True)
    )
    return queries, keys


def joined(x: Tensor) -> Tensor:
    """(..., N, d) -> (L, N, d)."""
    return x.reshape(-1, *x.shape[-2:])


def _scaled(product: Product, func: Callable, first: tuple, other: object) -> Product | None:
    """Return a product times a number, or a number a head, (H, 1, 1); None for anything else."""
    over = func in _OVER and first and first[0] is product.result
    if product.added or not (func in _TIMES or over):
        return None
    if isinstance(other, Tensor) and other.shape[-2:] == (1, 1):
        queries = product.queries
        if queries.ndim != product.result.ndim or other.ndim > queries.ndim:
            return None
        return replace(product, queries=queries / other if over else queries * other)
    if isinstance(other, Tensor):
        other = float(other) if other.numel() == 1 else None
    if isinstance(other, bool) or not isinstance(other, int | float) or not other:
        return None
    return replace(product, scale=product.scale * (1 / other if over else other))


def _tensors(args: tuple, kwargs: dict) -> list[Tensor]:
    return [one for one in (*args, *kwargs.values()) if isinstance(one, Tensor)]


_REORDERS = (
    torch.transpose, torch.permute, Tensor.transpose, Tensor.permute, Tensor.mT.__get__,
    Tensor.T.__get__, torch.swapaxes, Tensor.swapaxes,
)  # fmt: skip
_PLUS = (torch.add, Tensor.add, Tensor.add_, Tensor.__add__, Tensor.__radd__, Tensor.__iadd__)
_TIMES = (torch.mul, Tensor.mul, Tensor.mul_, Tensor.__mul__, Tensor.__rmul__, Tensor.__imul__)
_OVER = (torch.div, Tensor.div, Tensor.div_, Tensor.__truediv__, Tensor.__itruediv__)
_VIEWS = (
    Tensor.view, Tensor.reshape, torch.reshape, Tensor.float, Tensor.to, Tensor.contiguous,
    Tensor.unsqueeze, torch.unsqueeze, Tensor.squeeze, torch.squeeze, Tensor.flatten,
    torch.flatten, Tensor.type_as,
)  # fmt: skip
