"""Channels, groups or heads as parts: do they tell the parts of an object apart, and where?"""

import torch
import torch.nn.functional as F
from torch import Tensor

KMEANS_STEPS = 30


def kmeans(vectors: Tensor, count: int, seed: int, steps: int = KMEANS_STEPS) -> Tensor:
    """Return ``count`` unit centroids (count, C) of the directions of (K, C), after ``steps``."""
    draw = torch.Generator().manual_seed(seed)
    unit = F.normalize(vectors, dim=1)
    centroids = unit[torch.randperm(len(unit), generator=draw)[:count].to(unit.device)]
    for _ in range(steps):
        nearest = (unit @ centroids.T).argmax(1)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, unit)
        empty = sums.norm(dim=1) == 0
        sums[empty] = centroids[empty]
        centroids = F.normalize(sums, dim=1)
    return centroids


def agreement(first: Tensor, second: Tensor) -> tuple[float, float]:
    """Return NMI (arithmetic mean) and adjusted Rand index of two labelings (K,), in percent.

    scikit-learn's; as PDiscoNet (van der Klis et al. 2023) and its successors report them.
    """
    from sklearn import metrics  # noqa: PLC0415 (a second to import, for this alone)

    pair = first.numpy(), second.numpy()
    nmi = metrics.normalized_mutual_info_score(*pair)
    return 100 * float(nmi), 100 * float(metrics.adjusted_rand_score(*pair))


def part_maps(sample: Tensor) -> Tensor:
    """Return what K heads or groups look at on average, (K, M), each scaled to [0, 1].

    ``sample`` (K, R, M) holds the maps of R references, as ``MapKind.sample`` gives them; the mean
    is of absolute values, since a group may answer with either sign.
    """
    mean = sample.abs().mean(1)
    low, high = mean.amin(1, keepdim=True), mean.amax(1, keepdim=True)
    return (mean - low) / (high - low).clamp_min(1e-30)


def centroids(maps: Tensor, rows: int, cols: int) -> Tensor:
    """Return the centres of mass of maps (K, rows * cols), not negative: (K, 2) x, y in [0, 1]."""
    mass = maps.unflatten(1, (rows, cols))
    total = mass.sum((1, 2)).clamp_min(1e-30)
    x = (mass.sum(1) * ((torch.arange(cols, device=maps.device) + 0.5) / cols)).sum(1) / total
    y = (mass.sum(2) * ((torch.arange(rows, device=maps.device) + 0.5) / rows)).sum(1) / total
    return torch.stack([x, y], 1)


def regression_error(features: Tensor, points: Tensor, train: Tensor, scale: Tensor) -> Tensor:
    """Return the error of key points that a linear map predicts from part centroids, per picture.

    ``features`` (S, F) and ``points`` (S, P, 2) of S pictures, NaN where a point is not seen;
    ``train`` (S,) bool says which pictures the map (with a constant, least squares) is fitted on;
    ``scale`` (S,) is what an error is divided by, the side of the object's box. Returns (S,) the
    mean over seen points, NaN for training pictures and those without a point (PDiscoNet, sec. 4).
    """
    ones = torch.ones(len(features), 1)
    design = torch.cat([features, ones], 1).double()
    errors = torch.full(points.shape[:2], torch.nan, dtype=torch.float64)
    for part in range(points.shape[1]):
        wanted = points[:, part].double()
        seen = ~wanted.isnan().any(1)
        fitted = seen & train
        if fitted.sum() < 2:
            continue
        weights = torch.linalg.lstsq(design[fitted], wanted[fitted], driver="gelsd").solution
        errors[:, part] = (design @ weights - wanted).norm(dim=1)
    per_picture = errors.nanmean(1) / scale
    return torch.where(train, torch.nan, per_picture).float()


def is_correct_match(
    at: tuple[float, float], truth: tuple[float, float], size: float, tolerance: float = 0.1
) -> bool:
    """Tell whether a match in pixels is within ``tolerance`` of ``size`` of the truth: PCK@0.1,
    ``size`` the longer side of the object's box (Yang and Ramanan 2013)."""
    return (at[0] - truth[0]) ** 2 + (at[1] - truth[1]) ** 2 <= (tolerance * size) ** 2
