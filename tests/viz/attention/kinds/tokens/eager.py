"""What networks compute, seen another way: every table of weights of a forward pass, eagerly."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_SOFTMAXES = (torch.softmax, F.softmax, Tensor.softmax)


def _slow_sdpa(query, key, attn_mask=None, scale=None):
    """Return the weights of fused attention in float64, as the documentation defines them."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    logits = torch.einsum("...id,...jd->...ij", query.double(), key.double()) * scale
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        logits = logits.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        logits = logits + attn_mask.double()
    return logits.exp() / logits.exp().sum(-1, keepdim=True)


class Eager(TorchFunctionMode):
    """Keeps what softmaxes gave, and of fused calls the weights that they are defined by."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            named = dict(zip(("query", "key", "value", "attn_mask"), args, strict=False)) | kwargs
            self._keep(_slow_sdpa(named["query"], named["key"], named.get("attn_mask"),
                                  named.get("scale")))  # fmt: skip
        if func is F.multi_head_attention_forward:
            how = {**kwargs, "need_weights": True, "average_attn_weights": False}
            output, weights = func(*args, **how)
            self._keep(weights)
            return output, None
        result = func(*args, **kwargs)
        if func in _SOFTMAXES and args[0].ndim > 2 and _dim(args, kwargs) in (-1, args[0].ndim - 1):
            self._keep(result)
        return result

    def _keep(self, weights):
        self.weights.append(weights.reshape(-1, *weights.shape[-2:]))


def _dim(args, kwargs):
    return args[1] if len(args) > 1 else kwargs["dim"]
