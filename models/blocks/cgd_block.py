"""The compact global descriptor: x (1 + tanh(z)), z = g(X) f(X)^T w (He et al. 2019)."""

import re
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from errors import SpecError
from models.specs.gate import CGDAxis, CGDSpec, CGDVariant


class Pooled(NamedTuple):
    """Average and maximum along every axis but the described one, (B, T, n) each."""

    average: Tensor
    maximum: Tensor


def _average(pooled: Pooled) -> Tensor:
    return pooled.average


def _maximum(pooled: Pooled) -> Tensor:
    return pooled.maximum


def _soft_average(pooled: Pooled) -> Tensor:
    return pooled.average.softmax(-1)


def _soft_maximum(pooled: Pooled) -> Tensor:
    return pooled.maximum.softmax(-1)


SubDescriptor = Callable[[Pooled], Tensor]
SUB_DESCRIPTORS: dict[CGDVariant, tuple[SubDescriptor, SubDescriptor]] = {
    "v1": (_average, _average),
    "v2": (_average, _soft_average),
    "v3": (_soft_average, _average),
    "v4": (_average, _maximum),
    "v5": (_maximum, _average),
    "v6": (_soft_average, _maximum),
    "v7": (_soft_maximum, _average),
}
"""g and f of the plain variants (Table 2)."""

CASCADES: dict[CGDVariant, tuple[CGDVariant, CGDVariant]] = {
    "v8": ("v3", "v7"),
    "v9": ("v1", "v7"),
    "v10": ("v3", "v6"),
}
"""The plain variants whose outputs are g and f of the cascaded ones (Table 2)."""

_HEIGHT, _WIDTH = 3, 4


class Axis(NamedTuple):
    """A described axis of (B, T, C, H, W): its place, the start of its parameters' names, and the
    shape of its biases, n standing as -1."""

    dim: int
    prefix: str
    bias: tuple[int, ...]


AXES: dict[CGDAxis, tuple[Axis, ...]] = {
    "channel": (Axis(2, "", (1, -1, 1, 1)),),
    "height": (Axis(_HEIGHT, "", (1, 1, -1, 1)),),
    "width": (Axis(_WIDTH, "", (1, 1, 1, -1)),),
    "space": (Axis(_HEIGHT, "height_", (1, -1)), Axis(_WIDTH, "width_", (1, -1))),
}
"""What is described, with names and shapes as the authors' channel and spatial layers have them."""


class CGDBlock(nn.Module):
    """Compact global descriptor gate (eqs. 10-12): (B*T, C, H, W) -> the same shape.

    The frames of a clip share w and one gate: z is the sum over frames (eq. 12), its bias added
    once. Sub-descriptors of a cascade are tanh(z) of one frame, as in the authors' layer; over
    "space" the gate is tanh of the outer product of the two z. ``side`` is the height or width that
    w was made for; channels need none. The last w starts at zero: a fresh block is the identity.
    """

    def __init__(self, channels: int, spec: CGDSpec, side: int | None = None) -> None:
        super().__init__()
        if spec.axis != "channel" and side is None:
            raise SpecError(
                f"A CGD over {spec.axis} needs a side: its weights belong to one height and width "
                "of the features. Give it, or describe channels."
            )
        self.spec = spec
        self.size = channels if spec.axis == "channel" else side
        for axis in AXES[spec.axis]:
            self._add(axis)
        self._silence()

    def _add(self, axis: Axis) -> None:
        """Register w and bias of one axis, w by Glorot & Bengio (sec. 4.1)."""
        for k in range(3 if self.spec.variant in CASCADES else 1):
            weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(self.size, 1)))
            shape = tuple(self.size if n == -1 else n for n in axis.bias)
            bias = nn.Parameter(torch.zeros(shape)) if self.spec.bias else None
            self.register_parameter(f"{axis.prefix}w{k}", weight)
            self.register_parameter(f"{axis.prefix}bias{k}", bias)

    def _silence(self) -> None:
        """Make z zero. One axis is enough for that, and were both zero, none would ever learn."""
        axis = AXES[self.spec.axis][0]
        nn.init.zeros_(self._weight(axis, 2 if self.spec.variant in CASCADES else 0))

    def _weight(self, axis: Axis, k: int) -> Tensor:
        return getattr(self, f"{axis.prefix}w{k}")

    def _bias(self, axis: Axis, k: int) -> Tensor | float:
        bias = getattr(self, f"{axis.prefix}bias{k}")
        return 0.0 if bias is None else bias.flatten()

    def _sub_descriptor(self, variant: CGDVariant, pooled: Pooled, axis: Axis, k: int) -> Tensor:
        """Return tanh(z) of each frame alone by a plain variant, (B, T, n)."""
        g, f = (described(pooled) for described in SUB_DESCRIPTORS[variant])
        return torch.tanh(g * (f @ self._weight(axis, k)) + self._bias(axis, k))

    def _describe(self, clip: Tensor, axis: Axis) -> Tensor:
        """Return z (B, n) of (B, T, C, H, W) along one axis (eq. 12)."""
        others = tuple(dim for dim in (2, _HEIGHT, _WIDTH) if dim != axis.dim)
        pooled = Pooled(clip.mean(others), clip.amax(others))
        if self.spec.variant in CASCADES:
            g_variant, f_variant = CASCADES[self.spec.variant]
            g = self._sub_descriptor(g_variant, pooled, axis, 0)
            f = self._sub_descriptor(f_variant, pooled, axis, 1)
            last = 2
        else:
            g, f = (described(pooled) for described in SUB_DESCRIPTORS[self.spec.variant])
            last = 0
        # f^T w first: a scalar a frame, so that g f^T is never made (sec. 3.3).
        return (g * (f @ self._weight(axis, last))).sum(1) + self._bias(axis, last)

    def gates(self, x: Tensor, frames: int = 1) -> Tensor:
        """Return 1 + tanh(z) of each clip: (B, C), (B, H), (B, W) or, for space, (B, H, W)."""
        clip = x.unflatten(0, (-1, frames))
        axes = AXES[self.spec.axis]
        if any(clip.shape[axis.dim] != self.size for axis in axes):
            raise SpecError(
                f"Features of {x.shape[1]} x {x.shape[2]} x {x.shape[3]} do not fit a CGD over "
                f"{self.spec.axis} made for {self.size}; use a picture of the size it was trained "
                "with."
            )
        described = [self._describe(clip, axis) for axis in axes]
        if len(described) == 1:
            return 1 + torch.tanh(described[0])
        rows, cols = described
        return 1 + torch.tanh(rows[:, :, None] * cols[:, None, :])

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:
        shape = [1, 1, 1, 1]
        for axis in AXES[self.spec.axis]:
            shape[axis.dim - 1] = x.shape[axis.dim - 1]
        factor = self.gates(x, frames).reshape(-1, *shape)
        return (x.unflatten(0, (-1, frames)) * factor).flatten(0, 1)


class MergedNorm(NamedTuple):
    """A gate and the batch norm behind it as one step: scale * x + shift, (B, C) each."""

    scale: Tensor
    shift: Tensor


def merge_batch_norm(gates: Tensor, norm: nn.BatchNorm2d) -> MergedNorm:
    """Merge channel ``gates`` (B, C) into ``norm``, which is in eval mode (sec. 3.3).

    scale * x + shift is norm(x * gates), and saves the pass over x that the gate would take.
    """
    deviation = torch.sqrt(norm.running_var + norm.eps)
    weight, bias = (1.0, 0.0) if norm.weight is None else (norm.weight, norm.bias)
    scale = weight / deviation
    return MergedNorm(gates * scale, (bias - norm.running_mean * scale).expand_as(gates))


_DETECTION_KEY = re.compile(r"^(.*?)squeeze([012])\.0\.(weight|bias)$")


def channel_layer_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict of any published CGD layer with the names of the channel layer.

    The detection code calls w0 ``squeeze0.0.weight`` and bias0 ``squeeze0.0.bias``, without batch
    axis. The combined layer holds ``channel_att`` and ``spatial_att``, of which it applies only the
    first. Other keys, and whatever prefix these names have, are kept.
    """
    renamed = {}
    for key, value in state.items():
        found = _DETECTION_KEY.match(key)
        if found:
            prefix, k, kind = found.groups()
            renamed[f"{prefix}{'w' if kind == 'weight' else 'bias'}{k}"] = (
                value if kind == "weight" else value.unsqueeze(0)
            )
        elif "spatial_att." not in key:
            renamed[key.replace("channel_att.", "")] = value
    return renamed
