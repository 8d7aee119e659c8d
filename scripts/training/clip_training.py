"""How the bundled clip networks are trained: rendered clips, their action, and where things are."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from models.backbones.resnet import AttentionResNet, stage_channels
from models.checkpoints import own
from models.specs.block import BlockSpec
from models.specs.network import ModelSpec, Preprocessing
from models.specs.placement import Place
from scripts.training.block_init import start_block
from scripts.training.clip_data import FRAMES, LANDMARKS, NAMES, landmark_grid, render_batch
from scripts.training.training_run import Run, side_at

CLIPS_PER_BATCH = 8
LANDMARK_WEIGHT, PRESENT_WEIGHT, RELATION_WEIGHT = 2.0, 12.0, 4.0
FARTHEST = 0.5
"""Offsets between ball and body are regressed up to this share of the picture's side."""
HELD_OUT = 10
"""Every tenth photograph is kept for the held-out clips."""
START_BATCHES = 40


def clip_spec(block: BlockSpec | None, placement: str, side: int) -> ModelSpec:
    """Return C2D on the half-width ResNet-50 trunk: frames apart but for the block and the mean."""
    return ModelSpec(
        depth=50,
        base_width=32,
        block=block,
        placement=placement,
        num_classes=len(NAMES),
        preprocessing=Preprocessing(size=side, resize=side, frames=FRAMES, frame_stride=4),
    )


class ClipStudent(nn.Module):
    """The network and two heads (not kept): where the landmarks are, and how the body's lie to the
    ball."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.network = AttentionResNet(spec)
        self.landmarks = nn.Conv2d(stage_channels(spec, 4), len(LANDMARKS), 1)
        self.relations = nn.Linear(stage_channels(spec, 5), 2 * (len(LANDMARKS) - 1))

    def forward(self, clips: Tensor) -> "ClipOutput":
        """Clips (B, 3, T, S, S), normalised, to everything the loss compares."""
        network = self.network
        res4 = Place(4, len(network.layer3) - 1)
        features = network.features(clips, res4)
        folded = features.transpose(1, 2).flatten(0, 1)
        where = self.landmarks(folded).unflatten(0, (len(clips), -1)).transpose(1, 2)
        pooled = network.resume_features(res4, features).mean((3, 4))
        offsets = self.relations(pooled.transpose(1, 2)).unflatten(-1, (-1, 2))
        return ClipOutput(network.fc(pooled.mean(2)), where, offsets)


class ClipOutput(NamedTuple):
    """logits (B, classes), landmarks (B, L, T, h, w), offsets (B, T, L - 1, 2)."""

    logits: Tensor
    landmarks: Tensor
    offsets: Tensor


def load_whole_photos(folder: Path, held_out: bool) -> list[np.ndarray]:
    """Read every photograph of one side of the split, (H, W, 3) uint8, uncropped."""
    paths = sorted(folder.glob("*.jpg"))
    kept = [p for k, p in enumerate(paths) if (k % HELD_OUT == 0) == held_out]
    photos = []
    for path in kept:
        with Image.open(path) as picture:
            photos.append(np.asarray(picture.convert("RGB")).copy())
    return photos


def normalised(frames: np.ndarray, spec: ModelSpec) -> Tensor:
    """(B, T, H, W, 3) uint8 -> the network's input (B, 3, T, H, W) float32."""
    prep = spec.preprocessing
    mean, std = (torch.tensor(v) for v in (prep.mean, prep.std))
    scaled = (torch.from_numpy(frames).float() / 255 - mean) / std
    return scaled.permute(0, 4, 1, 2, 3).contiguous(memory_format=torch.channels_last_3d)


def relation_loss(offsets: Tensor, landmarks: np.ndarray, side: int) -> Tensor:
    """Compare (B, T, L - 1, 2) offsets with those from the ball to head, hands and feet.

    In sides of the picture, over FARTHEST; frames whose ball is out of the picture do not count.
    """
    marks = torch.from_numpy(landmarks).to(offsets.device) / side
    ball, body = marks[:, :, :1], marks[:, :, 1:]
    inside = ((ball >= 0) & (ball < 1)).all(-1, keepdim=True).expand_as(offsets)
    target = ((body - ball) / FARTHEST).clamp(-1, 1)
    return F.smooth_l1_loss(offsets[inside], target[inside], beta=0.2)


class ClipLesson:
    """Batches of freshly rendered clips; the loss: the action's label, and the landmarks' cells."""

    def __init__(self, photos: list[np.ndarray], seed: int) -> None:
        self.photos = photos
        self.draw = np.random.default_rng(seed)

    def __call__(self, run: Run) -> tuple[Tensor, dict, int]:
        """Render one batch and return its loss."""
        side = side_at(run.share, run.recipe)
        made = render_batch(self.draw, self.photos, CLIPS_PER_BATCH, side)
        labels = torch.from_numpy(made.labels).to(run.device)
        spec = run.student.network.spec
        out = run.model(normalised(made.frames, spec).to(run.device))
        rows = out.landmarks.shape[-1]
        cells = landmark_grid(made.landmarks, side, rows).to(run.device)
        present = cells.new_tensor(PRESENT_WEIGHT)
        where = F.binary_cross_entropy_with_logits(out.landmarks, cells, pos_weight=present)
        parts = {
            "label": F.cross_entropy(out.logits, labels, label_smoothing=0.05),
            "landmarks": LANDMARK_WEIGHT * where,
            "relations": RELATION_WEIGHT * relation_loss(out.offsets, made.landmarks, side),
        }
        hits = (out.logits.argmax(1) == labels).float().mean()
        figures = {k: v.item() for k, v in parts.items()} | {"hits": hits.item()}
        return sum(parts.values()), figures, len(labels)


def start_from_birds(student: ClipStudent, path: Path) -> None:
    """Fill the trunk from the bundled bird trunk; classifier and landmarks start fresh."""
    tensors = own.load(path).network.state_dict()
    trunk = {k: v for k, v in tensors.items() if not k.startswith("fc.")}
    missing, unexpected = student.network.load_state_dict(trunk, strict=False)
    if unexpected or {key.split(".")[0] for key in missing} != {"fc"}:
        raise SystemExit(f"{path} is not a trunk of this shape: {missing} {unexpected}")


def start_clip_block(student: ClipStudent, lesson: ClipLesson, deviation: float) -> None:
    """Start the block from what reaches it in freshly rendered clips."""
    side = student.network.spec.preprocessing.size
    shown = [
        render_batch(lesson.draw, lesson.photos, CLIPS_PER_BATCH, side).frames
        for _ in range(START_BATCHES)
    ]
    frames = torch.from_numpy(np.concatenate(shown)).flatten(0, 1).permute(0, 3, 1, 2)
    start_block(student.network, frames, deviation, seed=0)
