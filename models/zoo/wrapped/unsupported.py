"""What attends in a way that has no row of positions, each with its one line."""

from torch import nn

from models.zoo.wrapped.network import WrappedNetwork
from models.zoo.wrapped.tap import Call

_CHANNELS = "it attends over channels, so that no position has a row."
_LINEAR = "its attention is linear and never makes a row of positions."
UNSUPPORTED: dict[str, str] = {
    "XCA": _CHANNELS,
    "CrossCovarianceAttn": _CHANNELS,
    "ChannelAttention": _CHANNELS,
    "ChannelAttentionV2": _CHANNELS,
    "LambdaLayer": "lambda layers sum keys up before a query sees them and have no row.",
    "BatNonLocalAttn": "bilinear attention splits rows and columns and has no row of positions.",
    "LiteMLA": _LINEAR,
    "LinearSelfAttention": _LINEAR,
    "EfficientAttention": _LINEAR,
    "FactorAttnConvRelPosEnc": _LINEAR,
    "OutlookAttention": "outlook attention weighs the neighbours of a patch by its own features.",
    "MobileVitBlock": "its tokens are pixels of patches that a convolution has mixed before.",
}
"""Class of a module -> why it has no map."""
WITHOUT_SOFTMAX = (
    "its non-local block has no softmax to listen to; open it as a checkpoint, where NL blocks of "
    "every pairwise function are known."
)


def reason_for(
    network: WrappedNetwork | None, label: str, otherwise: str, call: Call | None = None
) -> str:
    """Return why a layer cannot be shown: what is known of its class, or of one around it."""
    if call is not None:
        modules = [frame.module for frame, _number in reversed(call.frames)]
    else:
        modules = _around(network.module, label.partition(" (")[0])
    names = (type(module).__name__ for module in modules)
    return next((UNSUPPORTED[name] for name in names if name in UNSUPPORTED), otherwise)


def inside(module: nn.Module) -> str:
    """Return why nothing attends in a module that has layers without rows; "" for others."""
    names = {type(part).__name__ for part in module.modules()}
    known = (why for name, why in UNSUPPORTED.items() if name in names)
    plain = (WITHOUT_SOFTMAX for part in module.modules() if _is_plain_block(part))
    return next(known, next(plain, ""))


def _is_plain_block(part: nn.Module) -> bool:
    """Tell whether a module is a non-local block whose weights are products, or sums, as they
    are."""
    convolved = all(isinstance(getattr(part, name, None), nn.Module) for name in ("theta", "g"))
    return convolved and getattr(part, "mode", "") in ("dot_product", "concatenation")


def _around(module: nn.Module, label: str) -> list[nn.Module]:
    """Return the module of a label and those around it, innermost first."""
    parts = label.split(".") if label else []
    names = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]
    known = dict(module.named_modules())
    return [known[name] for name in names if name in known]
