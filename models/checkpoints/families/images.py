"""Published image networks: the CGNL authors', the CGD authors', torchvision's, AlexHex7's."""

import re
from dataclasses import replace

from torch import Tensor

from errors import SpecError
from models.checkpoints.families.compact_shapes import compact_spec_of
from models.checkpoints.families.facts import Ask, Facts
from models.checkpoints.families.family import (
    Family,
    always_scaled,
    function_ask,
    never_scaled,
    nonlocal_spec,
    pooled_after,
)
from models.checkpoints.families.key_tables import COUNTER, KeyTable, Renamed, Rule
from models.checkpoints.families.structure import cgnl_facts, first_block, resnet_spec
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import DigitSpec, ModelSpec, NetworkSpec, Preprocessing

UNIT = r"layer(?P<layer>\d)\.(?P<unit>\d+)\."


def unit_rules(unit: str, wrapper: str = "") -> tuple[Rule, ...]:
    """Return the rows of residual units with torchvision's names behind the pattern ``unit``.

    ``wrapper`` matches what may be between a layer and its tensors.
    """
    return (
        Rule(
            unit + rf"(?P<part>(?:conv|bn)\d)\.{wrapper}(?P<what>\w+)",
            "layer{layer}.{unit}.{part}.{what}",
        ),
        Rule(
            unit + r"downsample\.(?P<part>[01])\.(?P<what>\w+)",
            "layer{layer}.{unit}.downsample.{part}.{what}",
        ),
    )


TRUNK = (
    COUNTER,
    Rule(r"conv1\.weight", "conv1.weight"),
    Rule(r"bn1\.(?P<what>\w+)", "bn1.{what}"),
    *unit_rules(UNIT),
    Rule(r"fc\.(?P<what>weight|bias)", "fc.{what}"),
)
"""torchvision's names are ours."""


def renumbered(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The CGNL authors' block takes a number of its own in layer3; give it the unit before it."""
    at = next(int(m[1]) for k in tensors if (m := re.match(r"layer3\.(\d+)\.t\.weight$", k)))

    def name(key: str) -> str:
        found = re.match(r"layer3\.(\d+)\.(.*)", key)
        if not found or int(found[1]) < at:
            return key
        number = int(found[1])
        return f"layer3.{number - 1}.{'nl.' if number == at else ''}{found[2]}"

    renamed = {name(key): value for key, value in tensors.items()}
    if len(renamed) < len(tensors):
        raise SpecError("It holds keys with the block's number and without it; one way is read.")
    return renamed


CGNL_KERNEL = Ask(
    "kernel",
    "Is it CGNL (dot product) or CGNLx (Gaussian RBF)? Their weights look the same.",
    ("cgnl", "cgnlx"),
    metadata=((r"(?i)\bnl_?type['\"]?\s*[=:]\s*['\"]?(cgnlx?)\b", ""),),
    file_name=(
        (r"cgnlx|\d{10}x", "cgnlx"),
        ("cgnl", "cgnl"),
    ),
)


def _cgnl(renamed: Renamed, facts: Facts) -> ModelSpec:
    prefix = first_block(renamed.tensors)
    if prefix + "norm.running_mean" in renamed.tensors:
        function = function_ask(only="embedded_gaussian")
        block = nonlocal_spec(renamed, facts, function, always_scaled)
        return image_spec(renamed, facts, block)
    kernel = {"cgnl": "dot_product", "cgnlx": "gaussian_rbf"}[facts.settle(CGNL_KERNEL)]
    return image_spec(renamed, facts, CGNLSpec(kernel, **cgnl_facts(renamed.tensors, prefix)))


def image_spec(
    renamed: Renamed, facts: Facts, block: CGNLSpec | NonLocalSpec | None, **implied: object
) -> ModelSpec:
    """Return the image network that tensors fill; ``implied`` is what its code implies."""
    return resnet_spec(renamed.tensors, facts.file_name, block, **implied)


def _cgd(renamed: Renamed, facts: Facts) -> NetworkSpec:
    compact = compact_spec_of({k: tuple(v.shape) for k, v in renamed.tensors.items()})
    if compact is not None:
        return compact
    if not any(key.endswith(".attention.w0") for key in renamed.tensors):
        raise SpecError(
            "Its keys are like a MobileNet's, SqueezeNet's, PreResNet's or WRN's, but "
            "no width or depth of these has its shapes."
        )
    spec = image_spec(renamed, facts, None, gate=CGDSpec())
    # Their validation leaves the resize out: the centre 224 pixels of the picture as it is.
    return replace(spec, preprocessing=Preprocessing(resize=224))


def _digits(renamed: Renamed, facts: Facts) -> DigitSpec:
    # The demonstration imports the embedded Gaussian.
    function = function_ask(default="embedded_gaussian")
    block = nonlocal_spec(renamed, facts, function, never_scaled, pool_keys=pooled_after(renamed))
    tensors = renamed.tensors
    return DigitSpec(
        block,
        base_width=tensors["convolutions.0.0.weight"].shape[0],
        num_classes=tensors["fc.3.weight"].shape[0],
    )


DIGIT_BLOCK = (
    Rule(
        r"nl_(?P<n>\d)\.(?P<part>theta|phi|g)\.(?:0\.)?(?P<what>weight|bias)",
        "blocks.nl_{n}.projection.{part}.{what}",
    ),
    Rule(r"nl_(?P<n>\d)\.W\.(?:0\.)?(?P<what>weight|bias)", "blocks.nl_{n}.expand.{what}"),
    Rule(r"nl_(?P<n>\d)\.W\.1\.(?P<what>\w+)", "blocks.nl_{n}.norm.{what}"),
    Rule(r"nl_(?P<n>\d)\.concat_project\.0\.weight", "blocks.nl_{n}.concat.weight"),
)

_CGD_MARK = (
    r".*\.attention\.w0|layers\.\d+\.conv2\.weight|features\.\d+\.squeeze\.weight"
    r"|block\d\.layer\.\d+\.conv1\.weight|bn\.running_mean"
)
"""A gate, or a key of one of the small networks, which are read without gates too."""

IMAGE_FAMILIES = (
    Family(
        "cgnl",
        "CGNL authors (KaiyuYue/cgnl-network.pytorch)",
        r"layer3\.\d+\.t\.weight",
        KeyTable(
            (
                *TRUNK,
                Rule(
                    UNIT + r"nl\.(?P<part>[tpg])\.weight",
                    "blocks.res{stage}_{unit}.projection.{part}.weight",
                ),
                Rule(UNIT + r"nl\.z\.weight", "blocks.res{stage}_{unit}.expand.weight"),
                Rule(UNIT + r"nl\.[bg]n\.(?P<what>\w+)", "blocks.res{stage}_{unit}.norm.{what}"),
            ),
            {"part": {"t": "theta", "p": "phi"}},
        ),
        _cgnl,
        renumbered,
    ),
    Family(
        "cgd",
        "CGD authors (HolmesShuan/Compact-Global-Descriptor), and their networks without CGD",
        _CGD_MARK,
        KeyTable((COUNTER, Rule(r"(?P<key>.*)", "{key}"))),
        _cgd,
    ),
    Family(
        "alexhex7",
        "Non-local_pytorch (AlexHex7), the MNIST demonstration",
        r"conv_1\.0\.weight",
        KeyTable(
            (
                COUNTER,
                *DIGIT_BLOCK,
                Rule(
                    r"conv_(?P<index>\d)\.(?P<part>\d)\.(?P<what>\w+)",
                    "convolutions.{index}.{part}.{what}",
                ),
                Rule(r"(?P<key>fc\.\d\.(?:weight|bias))", "{key}"),
            ),
            {"index": {"1": "0", "2": "1", "3": "2"}},
        ),
        _digits,
        data="digits",
    ),
)
