"""The layers of the compact networks written out, one function a family, on a state dict."""

import torch
import torch.nn.functional as F

MOBILE_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


class Written:
    """Layers by the names of their tensors; ``gate`` is the authors' formula for one picture."""

    def __init__(self, network):
        self.state = network.state_dict()

    def conv(self, x, name, stride=1, padding=None, groups=1):
        weight = self.state[f"{name}.weight"]
        padding = weight.shape[-1] // 2 if padding is None else padding
        bias = self.state.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, stride, padding, 1, groups)

    def norm(self, x, name):
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.state[f"{name}.{part}"] for part in names))

    def active(self, x, name):
        return F.relu(self.norm(x, name))

    def gate(self, x, name):
        w = [self.state[f"{name}.attention.w{k}"] for k in range(3)]
        bias = [self.state[f"{name}.attention.bias{k}"].flatten() for k in range(3)]
        average, maximum = x.mean((2, 3)), x.amax((2, 3))
        soft = average.softmax(1)
        p0 = torch.tanh((average @ w[0]) * soft + bias[0])
        p1 = torch.tanh((maximum @ w[1]) * soft + bias[1])
        return x * (1 + torch.tanh((p1 @ w[2]) * p0 + bias[2]))[:, :, None, None]

    def linear(self, x, name):
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return x.mean((2, 3)) @ weight.T + bias


def mobilenet(net, x):
    x = net.active(net.conv(x, "conv1"), "bn1")
    for n, stride in enumerate(MOBILE_STRIDES):
        unit = f"layers.{n}"
        x = net.gate(net.conv(x, f"{unit}.conv1", stride, groups=x.shape[1]), unit)
        x = net.conv(net.active(x, f"{unit}.bn1"), f"{unit}.conv2")
        x = net.active(x, f"{unit}.bn2")
    return net.linear(x, "linear")


FIRES = {"1.0": (3, 4, 5, 7, 8, 9, 10, 12), "1.1": (3, 4, 6, 7, 9, 10, 11, 12)}
POOLS = {"1.0": (2, 6, 11), "1.1": (2, 5, 8)}


def squeezenet(net, x, version="1.1", gated=True):
    x = F.relu(net.conv(x, "features.0", 2, 0))
    for n in range(2, 13):
        unit = f"features.{n}"
        if n in POOLS[version]:
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            continue
        assert n in FIRES[version]
        y = net.conv(x, f"{unit}.squeeze")
        y = net.active(net.gate(y, unit), f"{unit}.bn") if gated else F.relu(y)
        sides = (net.conv(y, f"{unit}.expand1x1"), net.conv(y, f"{unit}.expand3x3"))
        x = F.relu(torch.cat(sides, 1))
    return F.relu(net.conv(x, "classifier.1")).mean((2, 3))


def preresnet(net, x):
    """The basic form; one unit a stage in depth 8."""
    x = net.conv(x, "conv1")
    for stage, stride in ((1, 1), (2, 2), (3, 2)):
        unit = f"layer{stage}.0"
        y = net.gate(net.conv(net.active(x, f"{unit}.bn1"), f"{unit}.conv1", stride), unit)
        y = net.conv(net.active(y, f"{unit}.bn2"), f"{unit}.conv2")
        x = y + (net.conv(x, f"{unit}.downsample.0", stride) if stage > 1 else x)
    return net.linear(net.active(x, "bn"), "fc")


def preresnet_bottleneck(net, x):
    """Depth 44: seven units a stage."""
    x = net.conv(x, "conv1")
    for stage in (1, 2, 3):
        for n in range(7):
            unit, stride = f"layer{stage}.{n}", 2 if stage > 1 and n == 0 else 1
            y = net.conv(net.active(x, f"{unit}.bn1"), f"{unit}.conv1")
            y = net.conv(net.active(y, f"{unit}.bn2"), f"{unit}.conv2", stride)
            y = net.conv(net.active(net.gate(y, unit), f"{unit}.bn3"), f"{unit}.conv3")
            x = y + (net.conv(x, f"{unit}.downsample.0", stride) if n == 0 else x)
    return net.linear(net.active(x, "bn"), "fc")


def wide_resnet(net, x):
    """One unit a stage in depth 10; the shortcut's convolution starts from the activated input."""
    x = net.conv(x, "conv1")
    for stage, stride in ((1, 1), (2, 2), (3, 2)):
        unit = f"block{stage}.layer.0"
        active = net.active(x, f"{unit}.bn1")
        y = net.gate(net.conv(active, f"{unit}.conv1", stride), unit)
        y = net.conv(net.active(y, f"{unit}.bn2"), f"{unit}.conv2")
        widened = f"{unit}.convShortcut.weight" in net.state
        x = y + (net.conv(active, f"{unit}.convShortcut", stride) if widened else x)
    return net.linear(net.active(x, "bn1"), "fc")
