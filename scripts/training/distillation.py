"""What the bundled networks learn from: labels and two teachers, at three depths."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.resnet import AttentionResNet, stage_channels
from models.specs.network import ModelSpec
from models.specs.placement import Place
from scripts.training.bird_data import Birds
from scripts.training.linear_probe import Probe, fitted
from scripts.training.teacher import Teacher

DENSE_CHANNELS, POOLED_CHANNELS = 96, 1280
IMAGENET_LOGITS, BIRD_LOGITS = 1001, 965
TEMPERATURE = 1.5


class Student(nn.Module):
    """The network and the small heads that the teachers are regressed with (not kept)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.network = AttentionResNet(spec)
        width = spec.base_width
        self.dense = nn.Conv2d(stage_channels(spec, 4), DENSE_CHANNELS, 1)
        self.pooled = nn.Linear(width * 32, POOLED_CHANNELS)
        self.imagenet = nn.Linear(width * 32, IMAGENET_LOGITS)
        self.birds = nn.Linear(width * 32, BIRD_LOGITS)

    def forward(self, crops: Tensor) -> "StudentOutput":
        """Crops (B, 3, S, S) in [0, 1] to everything the loss compares."""
        prep = self.network.spec.preprocessing
        mean, std = crops.new_tensor(prep.mean), crops.new_tensor(prep.std)
        x = ((crops - mean[:, None, None]) / std[:, None, None]).unsqueeze(2)
        res4 = Place(4, len(self.network.layer3) - 1)
        dense = self.network.features(x, res4)
        pooled = self.network.resume_features(res4, dense).mean((2, 3, 4))
        return StudentOutput(
            self.dense(dense.squeeze(2)),
            self.pooled(pooled),
            self.network.fc(self.network.dropout(pooled)),
            self.imagenet(pooled),
            self.birds(pooled),
        )


class StudentOutput(NamedTuple):
    """dense (B, 96, S/16, S/16), pooled (B, 1280), logits (B, classes) and the teachers' logits."""

    dense: Tensor
    pooled: Tensor
    logits: Tensor
    imagenet: Tensor
    birds: Tensor


def compiled(path: Path) -> Callable:
    """Return a frozen teacher, compiled for speed."""
    return torch.compile(Teacher(path), dynamic=False, options={"freezing": True})


class Distillation:
    """The loss: labels, dense and pooled teacher features, and the logits of both teachers."""

    def __init__(self, teachers: Path) -> None:
        self.imagenet = compiled(teachers / "mnv2_imagenet.npz")
        self.birds = compiled(teachers / "mnv2_inatbird.npz")

    def __call__(self, student: Callable, crops: Tensor, labels: Tensor) -> tuple[Tensor, dict]:
        """Crops (B, 3, S, S) in [0, 1], birds first; labels (birds,). Return loss and its parts."""
        birds = len(labels)
        seen, named = self.imagenet(crops), self.birds(crops[:birds])
        out = student(crops)
        spread = seen.dense.var((0, 2, 3), keepdim=True) + 1e-4
        parts = {
            "label": F.cross_entropy(out.logits[:birds], labels, label_smoothing=0.1),
            "dense": ((out.dense - seen.dense) ** 2 / spread).mean(),
            "pooled": 2 * (1 - F.cosine_similarity(out.pooled, seen.pooled).mean()),
            "imagenet": 0.5 * _divergence(out.imagenet, seen.logits),
            "birds": 0.7 * _divergence(out.birds[:birds], named.logits),
        }
        hits = (out.logits[:birds].argmax(1) == labels).float().mean()
        return sum(parts.values()), {k: v.item() for k, v in parts.items()} | {"hits": hits.item()}


class BirdDistillation:
    """The loss of the finishing stage: labels, and the bird teacher at three depths.

    It replaces the ImageNet teacher's dense and pooled features by the bird teacher's, and adds
    the soft labels of a linear probe of the latter.
    """

    def __init__(self, teacher: Callable, probe: Probe) -> None:
        self.teacher, self.probe = teacher, probe

    def __call__(self, student: Callable, crops: Tensor, labels: Tensor) -> tuple[Tensor, dict]:
        """Crops (B, 3, S, S) in [0, 1], all birds; labels (B,). Return loss and its parts.

        Half of the crops are mixed with others first (Zhang et al. 2018): the teacher says what
        the mixtures are, so there are more of them to learn from than photographs.
        """
        partner, share = _mixture(len(crops))
        crops = torch.lerp(crops[partner], crops, share.view(-1, 1, 1, 1))
        crops = crops.contiguous(memory_format=torch.channels_last)
        seen = self.teacher(crops)
        out = student(crops)
        spread = seen.dense.var((0, 2, 3), keepdim=True) + 1e-4
        own, other = (
            F.cross_entropy(out.logits, of, label_smoothing=0.1, reduction="none")
            for of in (labels, labels[partner])
        )
        parts = {
            "label": 0.5 * torch.lerp(other, own, share).mean(),
            "probe": 2 * _divergence(out.logits, self.probe.logits(seen.pooled)),
            "dense": 0.5 * ((out.dense - seen.dense) ** 2 / spread).mean(),
            "pooled": 2 * (1 - F.cosine_similarity(out.pooled, seen.pooled).mean()),
            "birds": 0.7 * _divergence(out.birds, seen.logits),
        }
        hits = (out.logits.argmax(1) == labels).float().mean()
        return sum(parts.values()), {k: v.item() for k, v in parts.items()} | {"hits": hits.item()}


def _mixture(count: int) -> tuple[Tensor, Tensor]:
    """Return a partner (count,) for every crop and the crop's own share of the mixture: 1 for half
    of them, 0.5 to 1 for the others."""
    share = 0.5 + 0.5 * torch.rand(count)
    share[: count // 2] = 1.0
    return torch.randperm(count), share


def bird_distillation(teachers: Path, kept: Path, birds: Birds, side: int) -> BirdDistillation:
    """Return the finishing loss; the probe is fitted once and kept as ``kept``."""
    teacher = compiled(teachers / "mnv2_inatbird.npz")
    return BirdDistillation(teacher, fitted(kept, teacher, birds, side))


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return TEMPERATURE**2 * F.kl_div(
        F.log_softmax(student / TEMPERATURE, 1),
        F.log_softmax(teacher / TEMPERATURE, 1),
        log_target=True,
        reduction="batchmean",
    )
