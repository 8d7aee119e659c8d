"""Checkpoints under other people's names, made of networks of this project.

The tables are written from descriptions of the families, role by role; they share nothing with
those that read them.
"""

import pickle
import re

import torch

ROLES = (
    ("stem", r"conv1\.weight"),
    ("stem norm", r"bn1\.(?P<w>\w+)"),
    ("conv", r"layer(?P<L>\d)\.(?P<i>\d+)\.conv(?P<n>\d)\.weight"),
    ("norm", r"layer(?P<L>\d)\.(?P<i>\d+)\.bn(?P<n>\d)\.(?P<w>\w+)"),
    ("down", r"layer(?P<L>\d)\.(?P<i>\d+)\.downsample\.0\.weight"),
    ("down norm", r"layer(?P<L>\d)\.(?P<i>\d+)\.downsample\.1\.(?P<w>\w+)"),
    ("theta", r"blocks\.res(?P<S>\d)_(?P<i>\d+)\.projection\.theta\.(?P<w>\w+)"),
    ("phi", r"blocks\.res(?P<S>\d)_(?P<i>\d+)\.projection\.phi\.(?P<w>\w+)"),
    ("g", r"blocks\.res(?P<S>\d)_(?P<i>\d+)\.projection\.g\.(?P<w>\w+)"),
    ("concat", r"blocks\.res(?P<S>\d)_(?P<i>\d+)\.projection\.w_f"),
    ("expand", r"blocks\.res(?P<S>\d)_(?P<i>\d+)\.expand\.(?P<w>\w+)"),
    ("block norm", r"blocks\.res(?P<S>\d)_(?P<i>\d+)\.norm\.(?P<w>\w+)"),
    ("fc", r"fc\.(?P<w>\w+)"),
)
BLOBS = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}
LETTERS = {"1": "a", "2": "b", "3": "c"}

TORCHVISION = {
    "stem": "conv1.weight",
    "stem norm": "bn1.{w}",
    "conv": "layer{L}.{i}.conv{n}.weight",
    "norm": "layer{L}.{i}.bn{n}.{w}",
    "down": "layer{L}.{i}.downsample.0.weight",
    "down norm": "layer{L}.{i}.downsample.1.{w}",
    "fc": "fc.{w}",
}
TUSHAR = TORCHVISION | {
    "theta": "layer{L}.{i}.nl.theta.{w}",
    "phi": "layer{L}.{i}.nl.phi.{w}",
    "g": "layer{L}.{i}.nl.g.{w}",
    "expand": "layer{L}.{i}.nl.out.{w}",
    "block norm": "layer{L}.{i}.nl.bn.{w}",
}
_NL = "backbone.layer{L}.{i}.non_local_block."
MMACTION = {
    "stem": "backbone.conv1.conv.weight",
    "stem norm": "backbone.conv1.bn.{w}",
    "conv": "backbone.layer{L}.{i}.conv{n}.conv.weight",
    "norm": "backbone.layer{L}.{i}.conv{n}.bn.{w}",
    "down": "backbone.layer{L}.{i}.downsample.conv.weight",
    "down norm": "backbone.layer{L}.{i}.downsample.bn.{w}",
    "theta": _NL + "theta.conv.{w}",
    "phi": _NL + "phi.0.conv.{w}",
    "g": _NL + "g.0.conv.{w}",
    "concat": _NL + "concat_project.conv.weight",
    "expand": _NL + "conv_out.conv.{w}",
    "block norm": _NL + "conv_out.bn.{w}",
    "fc": "cls_head.fc_cls.{w}",
}
MMACTION_UNPOOLED = MMACTION | {"phi": _NL + "phi.conv.{w}", "g": _NL + "g.conv.{w}"}
TSM = {role: f"base_model.{name}" for role, name in TUSHAR.items()} | {
    "phi": "base_model.layer{L}.{i}.nl.phi.0.{w}",
    "g": "base_model.layer{L}.{i}.nl.g.0.{w}",
    "expand": "base_model.layer{L}.{i}.nl.W.0.{w}",
    "block norm": "base_model.layer{L}.{i}.nl.W.1.{w}",
    "fc": "new_fc.{w}",
}
_GLUON = "res_layers.{before}.{i}."
GLUON = {
    "stem": "first_stage.0.weight",
    "stem norm": "first_stage.1.{w}",
    "conv": _GLUON + "conv{n}.weight",
    "norm": _GLUON + "bn{n}.{w}",
    "down": _GLUON + "downsample.0.weight",
    "down norm": _GLUON + "downsample.1.{w}",
    "theta": _GLUON + "nonlocal_block.theta.{w}",
    "phi": _GLUON + "nonlocal_block.phi.{w}",
    "g": _GLUON + "nonlocal_block.g.{w}",
    "expand": _GLUON + "nonlocal_block.W.{w} " + _GLUON + "nonlocal_block.W_bn.0.{w}",
    "block norm": _GLUON + "nonlocal_block.bn.{w} " + _GLUON + "nonlocal_block.W_bn.1.{w}",
    "fc": "fc.{w} head.1.{w}",
}
SLOWFAST = {
    "stem": "s1.pathway0_stem.conv.weight",
    "stem norm": "s1.pathway0_stem.bn.{w}",
    "conv": "s{S}.pathway0_res{i}.branch2.{letter}.weight",
    "norm": "s{S}.pathway0_res{i}.branch2.{letter}_bn.{w}",
    "down": "s{S}.pathway0_res{i}.branch1.weight",
    "down norm": "s{S}.pathway0_res{i}.branch1_bn.{w}",
    "theta": "s{S}.pathway0_nonlocal{i}.conv_theta.{w}",
    "phi": "s{S}.pathway0_nonlocal{i}.conv_phi.{w}",
    "g": "s{S}.pathway0_nonlocal{i}.conv_g.{w}",
    "expand": "s{S}.pathway0_nonlocal{i}.conv_out.{w}",
    "block norm": "s{S}.pathway0_nonlocal{i}.bn.{w}",
    "fc": "head.projection.{w}",
}
CAFFE2 = {
    "stem": "conv1_w",
    "stem norm": "res_conv1_bn_{blob}",
    "conv": "res{S}_{i}_branch2{letter}_w",
    "norm": "res{S}_{i}_branch2{letter}_bn_{blob}",
    "down": "res{S}_{i}_branch1_w",
    "down norm": "res{S}_{i}_branch1_bn_{blob}",
    "theta": "nonlocal_conv{S}_{i}_theta_{first}",
    "phi": "nonlocal_conv{S}_{i}_phi_{first}",
    "g": "nonlocal_conv{S}_{i}_g_{first}",
    "expand": "nonlocal_conv{S}_{i}_out_{first}",
    "block norm": "nonlocal_conv{S}_{i}_bn_{blob}",
    "fc": "pred_{first}",
}
CGNL = TORCHVISION | {
    "theta": "layer{L}.{i}.t.weight",
    "phi": "layer{L}.{i}.p.weight",
    "g": "layer{L}.{i}.g.weight",
    "expand": "layer{L}.{i}.z.weight",
}
CGNL_NL = CGNL | {"block norm": "layer{L}.{i}.bn.{w}"}
CGNL_CGNL = CGNL | {"block norm": "layer{L}.{i}.gn.{w}"}


def renamed(network, table, counters=True, five=()):
    """Return the state dict under a family's names.

    ``counters`` keeps num_batches_tracked; roles in ``five`` get kernels of five dimensions, and
    all roles do when it is "all".
    """
    theirs = {}
    for key, value in _concatenated(network.state_dict()).items():
        if key.endswith("num_batches_tracked") and not counters:
            continue
        role, fields = _role(key)
        if value.ndim == 4 and (five == "all" or role in five):
            value = value.unsqueeze(2)
        for name in table[role].format(**fields).split():
            theirs[name] = value.clone()
    return theirs


def _concatenated(state):
    """Put the two halves of w_f together, as all others keep them."""
    joined = {}
    for key, value in state.items():
        if key.endswith("query_weight.weight"):
            other = state[key.replace("query_weight", "key_weight")]
            joined[key.removesuffix("query_weight.weight") + "w_f"] = torch.cat([value, other], 1)
        elif not key.endswith("key_weight.weight"):
            joined[key] = value
    return joined


def _role(key):
    for role, pattern in ROLES:
        found = re.fullmatch(pattern, key)
        if found:
            fields = found.groupdict()
            layer = int(fields.get("L") or int(fields.get("S") or 1) - 1)
            word = fields.get("w") or ""
            extra = {"L": layer, "S": layer + 1, "before": layer - 1, "first": word[:1]}
            letters = {"letter": LETTERS.get(fields.get("n")), "blob": BLOBS.get(word)}
            return role, fields | extra | letters
    raise AssertionError(key)


def with_own_number(state, unit):
    """The CGNL authors' block behind unit ``unit`` takes the next number of layer3 for itself."""
    moved = {}
    for key, value in state.items():
        found = re.fullmatch(r"layer3\.(\d+)\.(.*)", key)
        number = int(found[1]) if found else -1
        own = found and found[2].split(".")[0] in ("t", "p", "g", "z", "bn", "gn")
        if found and (own or number > unit):
            key = f"layer3.{number + 1}.{found[2]}"
        moved[key] = value
    return moved


def shifting(state, wrapped=()):
    """Name every first convolution .net; put units with an NL block, (layer, index), in .block."""
    moved = {}
    for key, value in state.items():
        key = re.sub(r"(layer\d\.\d+\.conv1(?:\.conv)?)\.weight$", r"\1.net.weight", key)
        found = re.match(r"(.*layer(\d)\.(\d+)\.)(?!nl\.|non_local)(.*)", key)
        if found and (int(found[2]), int(found[3])) in wrapped:
            key = f"{found[1]}block.{found[4]}"
        moved[key] = value
    return moved


def pickled(path, state, protocol=2, blobs=True):
    """Write what Caffe2 writes: numpy arrays, momentum beside them."""
    arrays = {key: value.numpy() for key, value in state.items()}
    arrays |= {f"{key}_momentum": value for key, value in list(arrays.items())[:3]}
    arrays |= {"model_iter": 400000, "lr": arrays["pred_b"][:1]}
    path.write_bytes(pickle.dumps({"blobs": arrays} if blobs else arrays, protocol=protocol))
    return path


def torch_saved(path, content, legacy=False):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path
