"""Multiply-adds of a forward pass, counted on shapes alone.

The formulas are torch's own (``torch.utils.flop_counter``). What differs from its FlopCounterMode
is only the way to the shapes: on the meta device torch gets those of many simple operations from
decompositions written in Python, the first of which imports its compiler (a second and more).
Here such operations are a table of shapes; any other one takes torch's way and is counted alike.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

aten = torch.ops.aten


def multiply_adds(module: Callable[[Tensor], object], x: Tensor) -> int:
    """Return the multiply-adds of one forward of ``module`` on x, as torch counts them."""
    # The meta device has no fused attention; the plain one multiplies the same numbers.
    plain = sdpa_kernel(SDPBackend.MATH)
    with torch.no_grad(), plain, _Counter() as counter:
        module(x)
    return counter.flops // 2


class _Counter(TorchDispatchMode):
    """Adds up the flops of every operation that torch has a formula for."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled under this mode; saying so to the compiler would import it."""
        return False

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],  # noqa: ARG002 (torch's signature)
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        shape_only = _shape_rule(func, args)
        result = shape_only(*args, **kwargs) if shape_only else func(*args, **kwargs)
        formula = flop_registry.get(func.overloadpacket)
        if formula:
            self.flops += formula(*args, **kwargs, out_val=result)
        return result


def _shape_rule(func: torch._ops.OpOverload, args: tuple) -> Callable[..., object] | None:
    """Return how an operation on the meta device gets its result without torch's Python."""
    first = args[0] if args else None
    first = first[0] if isinstance(first, list) else first
    if not isinstance(first, Tensor) or not first.is_meta:
        return None
    pointwise = torch.Tag.pointwise in func.tags
    return _SHAPES.get(func) or (_broadcast if pointwise else None)


def _broadcast(x: Tensor, *others: object, **_options: object) -> Tensor:
    shapes = [other.shape for other in others if isinstance(other, Tensor)]
    return x.new_empty(np.broadcast_shapes(x.shape, *shapes))


def _same(x: Tensor, *_options: object) -> Tensor:
    return x.new_empty(x.shape)


def _normed(x: Tensor, *_options: object) -> tuple[Tensor, Tensor, Tensor]:
    """A norm's result; its saved mean and deviation are of no use to a forward pass."""
    return x.new_empty(x.shape), x.new_empty(0), x.new_empty(0)


def _reduced(
    x: Tensor, axes: Sequence[int] | None = None, keepdim: bool = False, **_options: object
) -> Tensor:
    gone = {axis % x.ndim for axis in axes or range(x.ndim)}
    kept = [1 if axis in gone else n for axis, n in enumerate(x.shape)]
    return x.new_empty(kept if keepdim else [n for a, n in enumerate(x.shape) if a not in gone])


def _joined(parts: Sequence[Tensor], axis: int = 0) -> Tensor:
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return parts[0].new_empty(shape)


def _windows(
    sides: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Return how many places a kernel takes along each side."""
    each = zip(sides, kernel, stride, padding, dilation, strict=True)
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in each]


def _convolved(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    *others: object,
) -> Tensor:
    if transposed:
        return aten.convolution(x, weight, bias, stride, padding, dilation, transposed, *others)
    sides = _windows(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    return x.new_empty((x.shape[0], weight.shape[0], *sides))


def _max_pooled(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil: bool = False,
) -> tuple[Tensor, Tensor]:
    if ceil:
        return aten.max_pool2d_with_indices(x, kernel, stride, padding, dilation, ceil)
    sides = _windows(x.shape[-2:], kernel, stride or kernel, padding, dilation)
    pooled = x.new_empty((*x.shape[:-2], *sides))
    return pooled, pooled


def _product(x: Tensor, y: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:-1], y.shape[-1]))


def _dense(_bias: Tensor, x: Tensor, weight: Tensor, **_options: object) -> Tensor:
    return _product(x, weight)


_SHAPES: dict[torch._ops.OpOverload, Callable[..., object]] = {
    aten.convolution.default: _convolved,
    aten.native_batch_norm.default: _normed,
    aten.native_group_norm.default: _normed,
    aten.native_layer_norm.default: _normed,
    aten._safe_softmax.default: _same,
    aten._softmax.default: _same,
    aten.mean.dim: _reduced,
    aten.amax.default: _reduced,
    aten.sum.dim_IntList: _reduced,
    aten.cat.default: _joined,
    aten.addmm.default: _dense,
    aten.mm.default: _product,
    aten.bmm.default: _product,
    aten.max_pool2d_with_indices.default: _max_pooled,
}
"""Operation -> its result on the meta device; pointwise ones need no row."""
