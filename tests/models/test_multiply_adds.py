"""Multiply-adds of every family, compared with torch's own counter; and what counting imports."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.build import gmacs, gmacs_of, outline
from models.multiply_adds import multiply_adds
from models.specs.block import (
    A2Spec,
    BAMSpec,
    CGNLSpec,
    GlobalContextSpec,
    NonLocalSpec,
    ResidualSpec,
)
from models.specs.gate import CBAMSpec, CGDSpec, SESpec
from models.specs.network import (
    CompactSpec,
    DigitSpec,
    ModelSpec,
    Preprocessing,
    TemporalSpec,
)
from tests.paths import ROOT


def counted_by_torch(module, x):
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        module(x)
    return counter.get_total_flops() // 2


def resnet(**options):
    return ModelSpec(depth=50, base_width=16, num_classes=7, **options)


UNITS = ((0, 2), (1,), (3,), ())
INFLATED = TemporalSpec(5, 2, 3, 1, 0, True, inflated=UNITS)
FRAMES = Preprocessing(96, 96, frames=20)
SPECS = {
    "ResNet-18": ModelSpec(depth=18, num_classes=7),
    "ResNet-152": ModelSpec(depth=152),
    "NL, embedded Gaussian": resnet(block=NonLocalSpec(), placement="5"),
    "NL, Gaussian": resnet(block=NonLocalSpec("gaussian", norm="none"), placement="1"),
    "NL, keys pooled before": resnet(
        block=NonLocalSpec("dot_product", pool_keys="before", bias=True), placement="5"
    ),
    "NL, keys pooled after": resnet(block=NonLocalSpec(pool_keys="after"), placement="10"),
    "NL, concatenation": resnet(block=NonLocalSpec("concatenation"), placement="1"),
    "CGNL, dot product": resnet(block=CGNLSpec(), placement="5"),
    "CGNL, RBF, one group": resnet(block=CGNLSpec("gaussian_rbf", 1), placement="1"),
    "CGNL, unit length": resnet(block=CGNLSpec(l2_normalise=True, scale=True), placement="1"),
    "residual block": resnet(block=ResidualSpec(), placement="1-after"),
    "global context": resnet(block=GlobalContextSpec(), placement=("res3.1", "res5.0")),
    "actions of people": resnet(last_stride=1, head="people"),
    "A2": resnet(block=A2Spec(), placement="5"),
    "BAM": resnet(block=BAMSpec(), placement=("res3.3",)),
    "CGD gates": resnet(gate=CGDSpec()),
    "CGD gates, plain variant": resnet(gate=CGDSpec("v4", position="conv2")),
    "SE gates": resnet(gate=SESpec()),
    "CBAM gates": resnet(gate=CBAMSpec()),
    "C2D": resnet(preprocessing=FRAMES),
    "I3D with NL": resnet(
        block=NonLocalSpec(group_frames=((3, 2),)),
        placement="5",
        temporal=INFLATED,
        preprocessing=FRAMES,
    ),
    "I3D with CGNL": resnet(
        block=CGNLSpec(), placement="5", temporal=INFLATED, preprocessing=FRAMES
    ),
    "TSM without statistics": resnet(
        norm="affine", temporal=TemporalSpec(shifted=UNITS), preprocessing=FRAMES
    ),
    "MobileNet": CompactSpec("mobilenet", "0.7", 7, CGDSpec()),
    "SqueezeNet 1.0": CompactSpec("squeezenet", "1.0", 7),
    "SqueezeNet 1.1 with gates": CompactSpec("squeezenet", "1.1", 7, CGDSpec()),
    "PreResNet": CompactSpec("preresnet", "56", 7, CGDSpec(), Preprocessing(32, 32, stride=4)),
    "WRN": CompactSpec("wrn", "10-2", 7, CGDSpec(), Preprocessing(32, 32, stride=4)),
    "digits": DigitSpec(NonLocalSpec(pool_keys="after")),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_family_costs_what_torch_counts(spec):
    prep = spec.preprocessing
    network = outline(spec)
    shape = (1, prep.channels, prep.frames, prep.size, prep.size)
    expected = counted_by_torch(network, torch.empty(shape, device="meta"))
    assert expected > 10**6
    assert gmacs_of(network, prep.size, prep.frames) * 1e9 == pytest.approx(expected, abs=0.5)


def test_an_outline_counts_as_its_spec_does():
    spec = SPECS["CGNL, dot product"]
    assert gmacs_of(outline(spec), 96, 3) == gmacs(spec, 96, 3)


class Odd(nn.Module):
    """Operations that no network here has: they go torch's way to their shapes."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 5, 3, 2)
        self.grouped = nn.Conv2d(5, 10, (1, 3), (2, 1), (3, 2), (1, 2), groups=5)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)

    def forward(self, x):
        y = self.pool(self.grouped(self.up(x))).flatten(2)
        return torch.einsum("bci,bdi->bcd", y, y).cumsum(1).std()


def test_operations_without_a_row_are_counted_alike():
    with torch.device("meta"):
        module, x = Odd(), torch.empty(2, 3, 7, 11)
    assert multiply_adds(module, x) == counted_by_torch(module, x) > 0


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_multiply_adds_are_those_counted_by_hand(batch, device):
    network = nn.Sequential(nn.Conv2d(2, 3, (5, 7)), nn.ReLU(), nn.Flatten(), nn.Linear(105, 11))
    # 11 x 11 pixels leave 7 x 5 places of 3 channels, each a sum over 2 x 5 x 7; then 105 x 11.
    by_hand = (7 * 5) * 3 * (2 * 5 * 7) + 105 * 11
    x = torch.zeros(batch, 2, 11, 11, device=device)
    assert multiply_adds(network.to(device), x) == batch * by_hand


def test_counting_changes_no_values_of_a_real_network():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten()).eval()
    x, seen = torch.randn(1, 2, 5, 5), []
    network[-1].register_forward_hook(lambda _module, _args, output: seen.append(output))
    multiply_adds(network, x)
    assert torch.equal(seen[0], network(x))


LISTED = """
import sys
from models.describe import described
from models.zoo import catalogue
known = [described(e.spec) for e in catalogue.entries() if e.spec]
assert len(known) >= 11 and all(one.gmacs > 0.1 for one in known)
slow = [name for name in ("torch._dynamo", "sympy") if name in sys.modules]
assert not slow, f"listing the networks imports {slow}"
"""


@pytest.mark.slow
def test_listing_the_networks_does_not_import_torchs_compiler():
    done = subprocess.run(
        [sys.executable, "-c", LISTED], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
