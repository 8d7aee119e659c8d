"""What the bundled networks learn from: labels and two teachers, at three depths."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.resnet import AttentionResNet, stage_channels
from models.placement import Place
from models.specs import ModelSpec
from scripts.teacher import Teacher

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


class Distillation:
    """The loss: labels, dense and pooled teacher features, and the logits of both teachers."""

    def __init__(self, teachers: Path) -> None:
        compiled = {"dynamic": False, "options": {"freezing": True}}
        self.imagenet = torch.compile(Teacher(teachers / "mnv2_imagenet.npz"), **compiled)
        self.birds = torch.compile(Teacher(teachers / "mnv2_inatbird.npz"), **compiled)

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


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return TEMPERATURE**2 * F.kl_div(
        F.log_softmax(student / TEMPERATURE, 1),
        F.log_softmax(teacher / TEMPERATURE, 1),
        log_target=True,
        reduction="batchmean",
    )
