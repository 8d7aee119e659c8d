"""The tap around one forward pass: it sees every call of attention where it is computed.

Names of modules say nothing about what is compared (rotary embeddings come after the projections,
functional calls take weights as they are), so torch's own functions are listened to. Factors are
kept, queries and keys of each head; logits only where a softmax is all that can be seen.
"""

import inspect
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from models.zoo.wrapped.products import Bias, Products, joined, multiplied, summed
from models.zoo.wrapped.running import Frame, Running

MEMORY_BYTES = 512 * 2**20
"""What biases and logits of one forward pass, which grow with queries times keys, may take."""
_RECENT_GRIDS = 12


@dataclass(eq=False)
class Call:
    """One call of attention, L = windows x heads in the order of the network.

    queries (L, Nq, d), keys (L, Nk, d), float32; None where only ``logits`` (L, Nq, Nk) are known.
    What is ``added`` to scale q . k is kept; ``problem`` says why it could not be.
    ``frames`` are the modules that were running, the innermost last, each with the number of this
    call among its own; ``grids`` the grids that convolutions and pools left before, latest first.
    """

    label: str
    run: int
    shape: tuple[int, int, int]
    frames: tuple[tuple[Frame, int], ...]
    grids: tuple[tuple[int, ...], ...]
    queries: Tensor | None = None
    keys: Tensor | None = None
    scale: float = 1.0
    added: tuple[Bias, ...] = ()
    logits: Tensor | None = None
    problem: str = ""


class AttentionTap(TorchFunctionMode):
    """Listens to attention while it is entered (``with tap:``), in this thread only.

    ``calls`` are what was seen, in order.
    """

    def __init__(self, running: Running, memory: int = MEMORY_BYTES) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._running, self._left = running, memory
        self._grids: deque[tuple[int, ...]] = deque(maxlen=_RECENT_GRIDS)
        self._products = Products()

    def __torch_function__(
        self,
        func: Callable,
        types: object,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:  # noqa: ANN401
        del types
        kwargs = kwargs or {}
        if func not in _LISTENED:
            result = func(*args, **kwargs)
            if self._products:
                self._products.follow(func, args, kwargs, result)
            return result
        if before := _BEFORE.get(func):
            before(self, args, kwargs)
        if factors := _FACTORS[func](args, kwargs) if func in _FACTORS else None:
            self.multiplying(*factors)
        result = func(*args, **kwargs)
        if factors:
            self._products.add(factors, result)
        elif after := _AFTER.get(func):
            after(self, args, kwargs, result)
        return result

    # Fused attention

    def sdpa(self, args: tuple, kwargs: dict) -> None:
        """Keep a call of F.scaled_dot_product_attention."""
        query, key, mask, is_causal, scale = _sdpa(*args, **kwargs)
        if query.ndim < 3:
            return
        if query.shape[:-2] != key.shape[:-2]:  # heads that share their keys
            key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
        scale = scale or query.shape[-1] ** -0.5
        if is_causal:
            shape = (query.shape[-2], key.shape[-2])
            mask = torch.ones(shape, dtype=torch.bool, device=query.device).tril()
        self._keep(joined(query), joined(key), scale, _masked(mask, query, key))

    def mha(self, args: tuple, kwargs: dict) -> None:
        """Keep a call of F.multi_head_attention_forward: queries and keys (N, B, E) are projected
        here, since it takes weights and not what they give."""
        given = _bound(_MHA, args, kwargs)
        if given["use_separate_proj_weight"]:
            weights = given["q_proj_weight"], given["k_proj_weight"]
        else:
            weights = given["in_proj_weight"].chunk(3)[:2]
        biases = (None, None)
        if given["in_proj_bias"] is not None:
            biases = given["in_proj_bias"].chunk(3)[:2]
        heads, parts = given["num_heads"], []
        for tokens, weight, bias in zip(
            (given["query"], given["key"]), weights, biases, strict=True
        ):
            tokens = tokens.unsqueeze(1) if tokens.ndim == 2 else tokens
            made = F.linear(tokens, weight, bias)  # (N, B, E)
            parts.append(made.reshape(len(made), -1, made.shape[-1] // heads).transpose(0, 1))
        scale = parts[0].shape[-1] ** -0.5
        mask = given["attn_mask"]
        if mask is not None and mask.ndim == 3 and len(mask) != len(parts[0]):
            mask = mask[:, None].expand(-1, heads, -1, -1).flatten(0, 1)
        self._keep(*parts, scale, _masked(mask, *parts))

    # Attention that is written out

    def multiplying(self, queries: Tensor, keys: Tensor) -> None:
        """Look at queries (..., Nq, d) and keys (..., Nk, d) before they are multiplied."""

    def softmax(self, args: tuple, kwargs: dict, _result: Any) -> None:  # noqa: ANN401
        """Keep a softmax over the last of three axes or more: (..., Nq, Nk)."""
        logits = args[0] if args else kwargs["input"]
        dim = args[1] if len(args) > 1 else kwargs.get("dim")
        if logits.ndim < 3 or dim not in (-1, logits.ndim - 1) or logits.shape[-1] < 2:
            return
        found = self._products.of(logits)
        self._products.forget()
        if found is None:
            self._keep_logits(logits)
        elif found.explains(logits):
            self._keep(joined(found.queries), joined(found.keys), found.scale, found.added)
        else:
            self._keep_logits(logits, joined(found.queries), joined(found.keys))

    def grid(self, _args: tuple, _kwargs: dict, result: Any) -> None:  # noqa: ANN401
        """Remember the cells that a convolution or a pool left."""
        if isinstance(result, Tensor) and result.ndim >= 4:
            self._grids.appendleft(tuple(result.shape[2:]))

    # Keeping

    def _keep(
        self, queries: Tensor, keys: Tensor, scale: float, added: tuple[Bias, ...] = ()
    ) -> None:
        call = self._call((len(queries), queries.shape[1], keys.shape[1]))
        call.queries, call.keys, call.scale = _kept(queries), _kept(keys), float(scale)
        if self._take(call, sum(one.nbytes for one in added), "bias"):
            call.added = tuple(Bias(_kept(one.values), one.which) for one in added)

    def _keep_logits(
        self, logits: Tensor, queries: Tensor | None = None, keys: Tensor | None = None
    ) -> None:
        whole = joined(logits)
        call = self._call(tuple(whole.shape))
        if self._take(call, whole.numel() * 4, "logits"):
            call.logits = _kept(whole)
        if queries is not None and len(queries) == len(keys) == len(whole):
            call.queries, call.keys = _kept(queries), _kept(keys)

    def _take(self, call: Call, needed: int, what: str) -> bool:
        """Take room for what grows with queries times keys; note it where there is none left."""
        if needed > self._left:
            call.problem = (
                f"its {what} would take {needed / 2**20:.0f} MB and {self._left / 2**20:.0f} of "
                f"{MEMORY_BYTES // 2**20} MB are left; use a smaller input"
            )
            return False
        self._left -= needed
        return True

    def _call(self, shape: tuple[int, int, int]) -> Call:
        stack = self._running.stack
        for frame in stack:
            frame.calls += 1
        frames = tuple((frame, frame.calls) for frame in stack)
        name = stack[-1].name or type(stack[-1].module).__name__ if stack else "attention"
        call = Call(name, self._running.runs - 1, shape, frames, tuple(self._grids))
        self.calls.append(call)
        return call


def _masked(mask: Tensor | None, queries: Tensor, keys: Tensor) -> tuple[Bias, ...]:
    """Return what a mask adds to the logits of queries (..., Nq, d) and keys (..., Nk, d)."""
    if mask is None:
        return ()
    if mask.dtype == torch.bool:
        mask = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
    return (Bias.of(mask, (*queries.shape[:-1], keys.shape[-2])),)


def _kept(x: Tensor) -> Tensor:
    """Return a copy that shares nothing with the network's own memory: float32, on its
    device."""
    fresh = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    return fresh.copy_(x.detach())


def _bound(signature: inspect.Signature, args: tuple, kwargs: dict) -> dict[str, Any]:
    found = signature.bind(*args, **kwargs)
    found.apply_defaults()
    return found.arguments


def _sdpa(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Tensor, Tensor, Tensor | None, bool, float | None]:  # fmt: skip
    """Return query, key, mask, whether it is causal, and scale of the arguments of
    F.scaled_dot_product_attention, which has no signature."""
    del value, dropout_p, enable_gqa
    return query, key, attn_mask, is_causal, scale


_MHA = inspect.signature(F.multi_head_attention_forward)
_BEFORE: dict[Callable, Callable] = {
    F.scaled_dot_product_attention: AttentionTap.sdpa,
    F.multi_head_attention_forward: AttentionTap.mha,
}
_PRODUCTS = (torch.matmul, torch.bmm, Tensor.matmul, Tensor.bmm, Tensor.__matmul__)
_FACTORS: dict[Callable, Callable] = {
    **dict.fromkeys(_PRODUCTS, multiplied),
    torch.einsum: summed,
}
"""Function -> what finds queries and keys in its arguments."""
_SOFTMAXES = (torch.softmax, F.softmax, Tensor.softmax)
_GRIDS = (
    F.conv2d, F.conv3d, F.max_pool2d, F.max_pool3d, torch.max_pool2d, torch.max_pool3d,
    F.avg_pool2d, F.avg_pool3d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d,
)  # fmt: skip
_AFTER: dict[Callable, Callable] = {
    **dict.fromkeys(_SOFTMAXES, AttentionTap.softmax),
    **dict.fromkeys(_GRIDS, AttentionTap.grid),
}
_LISTENED = frozenset((*_BEFORE, *_FACTORS, *_AFTER))
