"""A ResNet for clips written from the papers: every kernel in 3-D on (B, C, T, H, W), from a state
dict under the project's names."""

import torch
import torch.nn.functional as F

UNITS = {14: (1, 2, 2, 1), 18: (2, 2, 2, 2), 20: (1, 2, 2, 1), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
BASIC = (14, 18, 34)


class PlainClipNetwork:
    """Logits of a ResNet without attention blocks; ``time`` is its TemporalSpec."""

    def __init__(self, state, depth, time):
        self.state, self.depth, self.time = state, depth, time

    def convolved(self, key, x, stride=(1, 1, 1)):
        weight = self.state[f"{key}.weight"]
        if weight.ndim == 4:
            weight = weight[:, :, None]
        padding = tuple(size // 2 for size in weight.shape[2:])
        return F.conv3d(x, weight, None, stride, padding)

    def normed(self, key, x):
        weight, bias = self.state[f"{key}.weight"], self.state[f"{key}.bias"]
        if f"{key}.running_mean" not in self.state:
            return torch.einsum("c,bcthw->bcthw", weight, x) + bias.reshape(1, -1, 1, 1, 1)
        mean, var = self.state[f"{key}.running_mean"], self.state[f"{key}.running_var"]
        return F.batch_norm(x, mean, var, weight, bias, eps=1e-5)

    def stem(self, x):
        time = self.time
        x = self.convolved("conv1", x, (time.stem_stride, 2, 2))
        x = F.relu(self.normed("bn1", x))
        padding = (0, time.pool_padding, time.pool_padding)
        return F.max_pool3d(x, (time.pool_frames, 3, 3), (time.pool_stride, 2, 2), padding)

    def unit(self, x, layer, index):
        key = f"layer{layer}.{index}"
        step = (1, 2, 2) if layer > 1 and index == 0 else (1, 1, 1)
        entered = shifted(x) if index in self.time.shifted[layer - 1] else x
        strides = (step, (1, 1, 1)) if self.depth in BASIC else ((1, 1, 1), step, (1, 1, 1))
        y = entered
        for number, stride in enumerate(strides, start=1):
            y = self.normed(f"{key}.bn{number}", self.convolved(f"{key}.conv{number}", y, stride))
            y = F.relu(y) if number < len(strides) else y
        if f"{key}.downsample.0.weight" in self.state:
            x = self.normed(f"{key}.downsample.1", self.convolved(f"{key}.downsample.0", x, step))
        return F.relu(x + y)

    def __call__(self, x):
        x = self.stem(x)
        for layer, units in enumerate(UNITS[self.depth], start=1):
            if layer == 2 and self.time.halve_after_res2:
                x = F.max_pool3d(x, (2, 1, 1), (2, 1, 1))
            for index in range(units):
                x = self.unit(x, layer, index)
        return F.linear(x.mean((2, 3, 4)), self.state["fc.weight"], self.state["fc.bias"])


def shifted(x):
    """The first eighth of the channels from the next frame, the second from the one before."""
    moved = x.clone()
    frames, eighth = x.shape[2], x.shape[1] // 8
    for t in range(frames):
        for c in range(2 * eighth):
            source = t + 1 if c < eighth else t - 1
            moved[:, c, t] = x[:, c, source] if 0 <= source < frames else 0
    return moved


def randomise(network, seed=19):
    """Give every parameter and statistic a random value; what is added to a shortcut stays small,
    so that numbers keep their size however deep the network."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor, low, high):
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith(("bn3.weight", ".norm.weight")):
                uniform(value, 0.1, 0.4)
            elif key.endswith("running_var") or (value.ndim == 1 and key.endswith("weight")):
                uniform(value, 0.5, 1.5)
            elif value.ndim == 1:
                uniform(value, -0.2, 0.2)
            elif value.ndim > 1:
                spread = (3 / value[0].numel()) ** 0.5
                uniform(value, -spread, spread)
    return network
