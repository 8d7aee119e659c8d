"""Write what other libraries measure of drawn maps: Quantus and grad-cam (both MIT).

pip install --no-deps quantus grad-cam ttach   # beside what the program needs, in an own venv
python -m scripts.goldens.golden_measures tests/viz/evaluation/measures/golden_measures.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

CASES, SIDE, STEPS = 5, 20, 10
BRIGHT = 8
ROAD_PERCENTILES = (20, 40, 60, 80)


class Corner(nn.Module):
    """Class 1 is as probable as the first 8 x 8 pixels of (B, 1, H, W) or (B, 1, 1, H, W) are
    bright."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, 2)."""
        bright = x[..., :BRIGHT, :BRIGHT].flatten(1).mean(1) * self.gain
        return torch.stack([torch.zeros_like(bright), bright], 1)


def picture() -> Tensor:
    """Return the picture of all cases, (1, 1, 20, 20), brighter in its corner."""
    made = torch.from_numpy(np.random.default_rng(2).random((1, 1, SIDE, SIDE), np.float32))
    made[..., :BRIGHT, :BRIGHT] += 1
    return made


def maps() -> np.ndarray:
    """Return the maps of the cases, (5, 20, 20) float32 from 0 on, every value different: the first
    knows what the network looks at, the second where its object is."""
    draw = np.random.default_rng(3)
    made = draw.permutation(CASES * SIDE**2).reshape(CASES, SIDE, SIDE).astype(np.float32) / 997
    made[0, :BRIGHT, :BRIGHT] += 3
    made[1][objects()[1]] += 3
    return made


def objects() -> np.ndarray:
    """Return where the object of each case is, (5, 20, 20) bool."""
    draw, inside = np.random.default_rng(4), np.zeros((CASES, SIDE, SIDE), bool)
    for one in inside:
        top, left = draw.integers(0, 12, 2)
        one[top : top + draw.integers(3, 8), left : left + draw.integers(3, 8)] = True
    return inside


def _localised(name: str, inside: np.ndarray) -> list[float]:
    import quantus

    metric = getattr(quantus, name)(
        abs=False, normalise=False, disable_warnings=True, return_aggregate=False
    )
    count = len(inside)
    found = metric(
        Corner().eval(),
        x_batch=picture().numpy().repeat(count, 0),
        y_batch=np.ones(count, int),
        a_batch=maps()[:, None],
        s_batch=inside[:, None],
        softmax=True,
    )
    return [float(one) for one in found]


def _pixel_flipping() -> list[list[float]]:
    import quantus

    metric = quantus.PixelFlipping(
        features_in_step=SIDE**2 // STEPS,
        abs=False,
        normalise=False,
        perturb_baseline=0.0,
        disable_warnings=True,
    )
    found = metric(
        Corner().eval(),
        x_batch=picture().numpy().repeat(CASES, 0),
        y_batch=np.ones(CASES, int),
        a_batch=maps()[:, None],
        softmax=True,
    )
    return [[float(value) for value in one] for one in found]


def _road() -> list[float]:
    from pytorch_grad_cam.metrics.road import ROADCombined
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

    torch.manual_seed(0)
    metric = ROADCombined(percentiles=list(ROAD_PERCENTILES))
    targets = [ClassifierOutputSoftmaxTarget(1)] * CASES
    return [
        float(v) for v in metric(picture().repeat(CASES, 1, 1, 1), maps(), targets, Corner().eval())
    ]


def _dilated(inside: np.ndarray) -> np.ndarray:
    """Return the objects and the cells next to them: the tolerance of our pointing game."""
    spread = nn.functional.max_pool2d(torch.from_numpy(inside).float(), 3, 1, 1)
    return spread.numpy() > 0


def main() -> None:
    """Write the file that is named."""
    found = {
        "quantus PointingGame, one cell of tolerance": _localised(
            "PointingGame", _dilated(objects())
        ),
        "quantus AttributionLocalisation": _localised("AttributionLocalisation", objects()),
        "quantus PixelFlipping": _pixel_flipping(),
        "grad-cam ROADCombined": _road(),
    }
    Path(sys.argv[1]).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
