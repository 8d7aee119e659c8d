"""Is a map faithful? What the network answers when pixels are taken away in the map's order.

All are of the class that the network predicts for the whole picture.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from scipy.sparse import linalg
from torch import Tensor

from models import devices
from models.blocks.layout import Grid
from viz.attention.hooks import listening
from viz.attention.predictions import shares
from viz.evaluation.subject import Subject

STEPS = 10
BLUR_SIGMA, BLUR_SIDE = 5.0, 11
ROAD_SHARES = (0.2, 0.4, 0.6, 0.8)
LEVELS = 1 << 16
"""Levels of a map that the order of pixels tells apart; finer ones differ between devices."""
_NOISE, _SEED = 0.01, 0
_NEIGHBOURS = {(0, 1): 1 / 6, (1, 0): 1 / 6, (0, -1): 1 / 6, (-1, 0): 1 / 6,
               (1, 1): 1 / 12, (1, -1): 1 / 12, (-1, 1): 1 / 12, (-1, -1): 1 / 12}  # fmt: skip


def deletion(subject: Subject, values: Tensor, grid: Grid) -> float:
    """Area under the class's probability while pixels are set to the training mean, highest first,
    in 10 equal steps (Petsiuk et al. 2018, RISE): 0 to 1, lower is better."""
    picture = _picture(subject)
    return _area(subject, values, grid, picture, torch.zeros_like(picture))


def insertion(subject: Subject, values: Tensor, grid: Grid) -> float:
    """Area under the class's probability while pixels come back to a blurred picture (Gaussian,
    sigma 5), highest first, in 10 equal steps (RISE): 0 to 1, higher is better."""
    picture = _picture(subject)
    return _area(subject, values, grid, blurred(picture), picture)


def road(subject: Subject, values: Tensor, grid: Grid) -> float:
    """Mean over 20, 40, 60, 80 % of the pixels of (p without the lowest - p without the highest)
    / 2, p the class's probability, pixels filled in by noisy linear imputation (Rong et al. 2022):
    -0.5 to 0.5, higher is better."""
    order, picture = _order(subject, values, grid), _picture(subject)
    inputs = []
    for share in ROAD_SHARES:
        count = round(share * len(order))
        inputs += [imputed(picture, order[-count:]), imputed(picture, order[:count])]
    lowest, highest = _probabilities(subject, inputs).reshape(-1, 2).T
    return float((lowest - highest).mean() / 2)


def _picture(subject: Subject) -> Tensor:
    """Return the input (1, 3, T, H, W) where the network is."""
    return subject.model_input.tensor.to(devices.of(subject.model.network))


def _order(subject: Subject, values: Tensor, grid: Grid) -> Tensor:
    """Return the pixels of one frame of the input, (H W,) int64, highest first; those whose values
    differ by less than 2^-16 of the map's range (2^-19 of its largest value in an even map) in
    reading order, on every device."""
    size = subject.model_input.tensor.shape[-2:]
    shaped = values.reshape(1, 1, grid.rows, grid.cols).to(devices.of(subject.model.network))
    enlarged = F.interpolate(shaped, size=size, mode="bilinear", align_corners=False)
    low, high = enlarged.aminmax()
    # What is even but for rounding has no order.
    least = torch.maximum(low.abs(), high.abs()).clamp_min(1e-30) / 8
    levels = ((enlarged - low) / torch.maximum(high - low, least) * LEVELS).round()
    return levels.flatten().argsort(descending=True, stable=True)


def _area(subject: Subject, values: Tensor, grid: Grid, before: Tensor, after: Tensor) -> float:
    """Return the area under the probability while ``after`` replaces ``before`` pixel by pixel."""
    order, inputs = _order(subject, values, grid), []
    for step in range(STEPS + 1):
        replaced = torch.zeros_like(order, dtype=torch.bool)
        replaced[order[: round(step / STEPS * len(order))]] = True
        inputs.append(torch.where(replaced.reshape(before.shape[-2:]), after, before))
    found = _probabilities(subject, inputs)
    return float(torch.trapezoid(found) / STEPS)


def _probabilities(subject: Subject, inputs: list[Tensor]) -> Tensor:
    """Return the probability of the predicted class for each input (1, 3, T, H, W): (K,)."""
    model, index = subject.model, int(subject.capture.logits.argmax())
    weight = next(model.network.parameters())
    pictures = torch.cat(inputs).to(weight.device, weight.dtype)
    batches = pictures.split(devices.at_once(weight.device))
    with listening(model, ()), torch.no_grad():
        found = [shares(model.network(batch), model.spec) for batch in batches]
    return torch.cat(found)[:, index].float().cpu()


def blurred(picture: Tensor) -> Tensor:
    """Return (1, 3, T, H, W) with each frame blurred by a Gaussian, its edges mirrored."""
    x = torch.arange(BLUR_SIDE, device=picture.device) - BLUR_SIDE // 2
    bell = torch.exp(-x.square() / (2 * BLUR_SIGMA**2))
    bell = (bell / bell.sum()).to(picture)
    frames = picture[0].flatten(0, 1).unsqueeze(1)
    pad = BLUR_SIDE // 2
    padded = F.pad(frames, (pad, pad, pad, pad), mode="reflect")
    across = F.conv2d(padded, bell.reshape(1, 1, 1, -1))
    return F.conv2d(across, bell.reshape(1, 1, -1, 1)).reshape(picture.shape)


def imputed(picture: Tensor, removed: Tensor) -> Tensor:
    """Return (1, 3, T, H, W) with the pixels ``removed`` (positions of one frame) filled in: each
    the weighted mean of its neighbours, 1/6 beside and 1/12 across, plus noise of deviation 0.01.

    At the border the weights of those that there are sum to 1.
    """
    rows, cols = picture.shape[-2:]
    removed = removed.cpu().numpy()
    system, fixed = _system(removed, rows, cols)
    flat = picture[0].flatten(2).flatten(0, 1).cpu().double().numpy().T.copy()  # (H W, 3 T)
    known = flat.copy()
    known[removed] = 0
    solved = linalg.spsolve(system, fixed @ known)
    noise = np.random.default_rng(_SEED).normal(0, _NOISE, solved.shape)
    flat[removed] = solved.reshape(len(removed), -1) + noise.reshape(len(removed), -1)
    return torch.from_numpy(flat.T).to(picture).reshape(picture.shape)


def _system(removed: np.ndarray, rows: int, cols: int) -> tuple[sparse.csc_array, sparse.csr_array]:
    """Return A (R, R) and B (R, H W) of A x = B known, x the removed pixels."""
    index = np.full(rows * cols, -1)
    index[removed] = np.arange(len(removed))
    y, x = np.divmod(removed, cols)
    triples, total = [], np.zeros(len(removed))
    for (dy, dx), weight in _NEIGHBOURS.items():
        inside = (y + dy >= 0) & (y + dy < rows) & (x + dx >= 0) & (x + dx < cols)
        total += weight * inside
        own = np.flatnonzero(inside)
        triples.append((own, (y + dy)[inside] * cols + (x + dx)[inside], weight))
    own = np.concatenate([t[0] for t in triples])
    other = np.concatenate([t[1] for t in triples])
    weights = np.concatenate([np.full(len(t[0]), t[2]) for t in triples]) / total[own]
    among = index[other] >= 0
    shape = (len(removed), len(removed))
    loops = sparse.csc_array((weights[among], (own[among], index[other[among]])), shape)
    fixed = sparse.csr_array(
        (weights[~among], (own[~among], other[~among])), (len(removed), rows * cols)
    )
    return sparse.eye_array(len(removed), format="csc") - loops, fixed
