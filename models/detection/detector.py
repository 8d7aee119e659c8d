"""What every detector has in common, and what it finds."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import NoReturn

import torch
from torch import Tensor, nn

from errors import InputError, OutsideError
from models.blocks.block_table import AttentionBlock
from models.specs.detection import DetectorSpec
from models.specs.placement import Place

LOWEST_SCORE = 1e-6
"""What a label that was not found counts as, where scores are compared as logarithms."""


@dataclass(frozen=True, eq=False)
class Detections:
    """What was found in one picture, n objects: boxes (n, 4) float32 as x1, y1, x2, y2 in pixels
    of the input; scores (n,) in [0, 1]; labels (n,) int64, background is 0.

    ``masks`` (n, m, m) are probabilities inside the box, ``keypoints`` (n, k, 3) x, y and
    visibility, ``keypoint_scores`` (n, k) logits; None where the network has no such head.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    masks: Tensor | None = None
    keypoints: Tensor | None = None
    keypoint_scores: Tensor | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def moved(self) -> "Detections":
        """Return the same on the CPU, in float32; InputError where a box or score is no number."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        floats = (self.boxes, self.scores, self.keypoints)
        if not all(part is None or bool(part.isfinite().all()) for part in floats):
            raise InputError(
                "The detector gives boxes or scores that are not finite numbers; its weights are "
                "damaged, or are not made for such pictures. Load the checkpoint again."
            )
        moved = {
            name: part if part is None else part.detach().cpu() for name, part in found.items()
        }
        return Detections(**moved)

    def evidence(self, labels: int) -> Tensor:
        """Return the logarithm of the best score of each label, (labels,) float32."""
        best = self.scores.new_full((labels,), LOWEST_SCORE)
        best = best.scatter_reduce(0, self.labels, self.scores, "amax")
        return best.float().log()


class Detector(nn.Module, ABC):
    """Abstract: finds objects in every frame of a clip, (B, 3, T, H, W) -> B * T Detections.

    Its blocks see the clip as one, its heads a frame each. Colours are R, G, B, as preprocessed.
    """

    spec: DetectorSpec
    places: tuple[Place, ...]

    @abstractmethod
    def dense(self, x: Tensor) -> object:
        """Compute what does not depend on what is found: features and scores of all places."""

    @abstractmethod
    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``, one of ``places``."""

    @abstractmethod
    def unit_at(self, place: Place) -> nn.Module:
        """Return the unit of the trunk before ``place``."""

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Detections, ...]:
        """Return what is found in each frame."""

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside units by name, in the order they are passed."""
        return {}

    def resume(self, place: Place, features: Tensor) -> NoReturn:
        """Refuse: what a detector finds has no logits of the whole picture."""
        del features
        raise OutsideError(
            f"Class maps and class evidence at {place.label} need a classifier, and this network "
            "is a detector; choose another kind of map, or a classifier."
        )


def as_detections(found: dict[str, Tensor]) -> Detections:
    """Return torchvision's dictionary as Detections; its masks are (n, 1, m, m)."""
    masks = found.get("masks")
    return Detections(
        found["boxes"],
        found["scores"],
        found["labels"],
        None if masks is None else masks[:, 0],
        found.get("keypoints"),
        found.get("keypoints_scores"),
    )


def sizes_of(frames: Tensor) -> list[tuple[int, int]]:
    """Return (H, W) for each of (n, C, H, W): nothing is padded."""
    return [tuple(frames.shape[-2:])] * len(frames)


def folded(x: Tensor) -> Tensor:
    """(B, 3, T, H, W) -> (B * T, 3, H, W), contiguous."""
    return torch.cat([clip.transpose(0, 1) for clip in x]).contiguous()
