"""Any module as a network: what is found in it, what is asked, and what is refused in one line."""

import copy

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

from errors import InputError
from models.report import UndecidedError
from models.specs.network import Preprocessing
from models.zoo.wrapped.cells import UnplacedError
from models.zoo.wrapped.network import runs_of
from models.zoo.wrapped.tap import AttentionTap
from models.zoo.wrapped.wrap import weights_hash, wrap
from tests.models.zoo.wrapped.networks import picture_network
from tests.models.zoo.wrapped.segmentation import Disentangled2d, NonLocal2d, Segmenter
from tests.viz.attention.captured import hooks, odd_modes
from tests.viz.attention.kinds.tokens.eager import Eager
from viz.attention.kinds.registry import KINDS
from viz.attention.kinds.tokens.factors import over_cells

pytestmark = pytest.mark.slow

TINY = Preprocessing(size=64, resize=64, stride=16, fixed=True)


class Attending(nn.Module):
    """Patches of 16 x 16 pixels that attend ``times`` times; ``extra`` tokens come first."""

    def __init__(self, times=1, extra=0, width=12):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.layer = Layer(times, width)
        self.extra = extra

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        first = tokens[:, :1].expand(-1, self.extra, -1)
        return self.layer(torch.cat([first, tokens], 1)).mean(1)


class Layer(nn.Module):
    def __init__(self, times, width):
        super().__init__()
        self.qkv, self.times = nn.Linear(width, 3 * width), times

    def forward(self, x):
        for _ in range(self.times):
            q, k, v = self.qkv(x)[:, None].chunk(3, -1)
            x = x + F.scaled_dot_product_attention(q, k, v)[:, 0]
        return x


class TwoInputs(Attending):
    def forward(self, x, mask):
        return super().forward(x * mask)


class Failing(Attending):
    def forward(self, x):
        super().forward(x)
        raise RuntimeError("half-way\nthrough")


class Sequenced(nn.Module):
    """torch's own encoder, tokens first: (N, B, C)."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 16, 16)
        layer = nn.TransformerEncoderLayer(12, 3, 24)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        return self.encoder(self.patches(x).flatten(2).permute(2, 0, 1)).mean(0)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(23)


def labels(model):
    return [layer.label for layer in model.spec.layers]


def test_what_attends_is_found_with_its_grid_and_prefix():
    model = wrap(Attending(extra=1), TINY)
    (layer,) = model.spec.layers
    assert layer == ("layer", 1, (1, 4, 4), (1, 4, 4), 1)
    assert (model.spec.num_classes, model.class_names) == (0, ())
    assert model.id == "module:Attending"
    assert model.sha256 == weights_hash(model.network.module)


HEADS = {
    "embedded": (NonLocal2d(12, "embedded_gaussian"), 1),
    "without its scale": (NonLocal2d(12, "embedded_gaussian", scaled=False), 1),
    "gaussian": (NonLocal2d(12, "gaussian"), 1),
    "pooled": (NonLocal2d(12, "embedded_gaussian", pooled=True), 1),
    "disentangled": (Disentangled2d(12), 2),
}
"""Non-local heads of segmentation networks, and how many maps they have."""


@pytest.mark.parametrize("name", HEADS)
def test_non_local_heads_of_segmentation_networks(name):
    block, maps = HEADS[name]
    model = wrap(Segmenter(block), TINY)
    assert [layer[1:3] for layer in model.spec.layers] == [(1, (1, 8, 8))] * maps
    assert model.spec.layers[0].key_grid == ((1, 4, 4) if name == "pooled" else (1, 8, 8))
    x = torch.rand(1, 3, 1, 64, 64)
    with torch.no_grad(), KINDS["heads"].around(model.network, x) as found, Eager() as eager:
        model.network(x)
    assert len(eager.weights) == maps
    for block, weights in zip(found.values(), eager.weights, strict=True):
        rows, shares = over_cells(block, torch.arange(block.query_grid.cells))
        expected = weights[0].expand(len(rows), -1)  # of one map for all positions, its own
        assert torch.allclose(rows[:, 0], expected, atol=1e-5)
        assert not shares.any()


def test_weights_that_are_no_softmax_are_told_where_to_open(one_line):
    with pytest.raises(InputError, match="no softmax.*open it as a checkpoint") as caught:
        wrap(Segmenter(NonLocal2d(12, "dot_product")), TINY)
    one_line(caught.value)


def test_an_encoder_of_torch_with_tokens_first():
    model = wrap(Sequenced(), TINY)
    assert labels(model) == ["encoder.layers.0.self_attn", "encoder.layers.1.self_attn"]
    assert model.spec.layers[0][1:] == (3, (1, 4, 4), (1, 4, 4), 0)


def test_attention_that_is_called_twice_in_one_layer_has_two_names():
    assert labels(wrap(Attending(times=3), TINY)) == ["layer", "layer (2)", "layer (3)"]


def test_classes_are_named_counted_or_none():
    module = picture_network("vit")
    named = wrap(module, TINY, classes=tuple("abcdefg"))
    assert (named.spec.num_classes, named.class_name(2)) == (7, "c")
    counted = wrap(module, TINY, classes=7)
    assert (counted.spec.num_classes, counted.class_name(2)) == (7, "class 2")
    with pytest.raises(InputError, match="gives 7 numbers, not scores of 3 classes"):
        wrap(module, TINY, classes=tuple("abc"))


def test_tokens_that_fit_no_grid_are_asked_for_in_one_line():
    module = Attending(extra=11)
    with pytest.raises(UndecidedError, match="grid=ROWSxCOLUMNS prefix=TOKENS") as asked:
        wrap(module, TINY)
    assert [question.name for question in asked.value.questions] == ["grid", "prefix"]
    model = wrap(module, TINY, answers={"grid": "4x4", "prefix": "11"})
    assert model.spec.layers[0][2:] == ((1, 4, 4), (1, 4, 4), 11)
    assert model.report.answered == {"grid", "prefix"}


@pytest.mark.parametrize(
    "answers",
    [{"grid": "4"}, {"grid": "axb"}, {"grid": "4x4", "prefix": "-1"}, {"grid": "4x4x4x4"}],
)
def test_an_answer_that_is_none_is_refused(answers):
    with pytest.raises(InputError, match="is not a grid of tokens; write grid=14x14"):
        wrap(Attending(extra=11), TINY, answers=answers)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("vit", "str is not a network; give a torch.nn.Module"),
        (nn.Conv2d(3, 4, 16, 16), "Nothing attends in Conv2d: its forward pass calls no attention"),
        (TwoInputs(), "TwoInputs does not run on an input of 1 x 3 x 64 x 64 .TypeError"),
        (Failing(), "Failing does not run on .* .RuntimeError: half-way through."),
        (nn.Linear(3, 4), "Linear does not run on an input of 1 x 3 x 64 x 64"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(module, line):
    with pytest.raises(InputError, match=line) as refused:
        wrap(module, TINY)
    assert len(str(refused.value).splitlines()) == 1


UNSUPPORTED = [
    ("xcit_nano_12_p16_224", {"img_size": 64, "cls_attn_layers": 0}, "attends over channels"),
    ("lambda_resnet26t", {}, "lambda layers sum keys up"),
    ("bat_resnext26ts", {}, "bilinear attention splits rows and columns"),
    ("efficientvit_b0", {}, "its attention is linear"),
    ("coat_tiny", {"img_size": 64}, "its attention is linear"),
    ("edgenext_xx_small", {}, "attends over channels"),
    ("hiera_tiny_224", {}, "patches in an order of its own"),
    ("resnet18", {}, "Nothing attends in ResNet"),
]


@pytest.mark.parametrize(("name", "how", "line"), UNSUPPORTED)
def test_what_is_not_supported_says_why(name, how, line):
    side = 64 if "img_size" in how else timm.models.get_pretrained_cfg(name).input_size[-1]
    module = timm.create_model(name, **how)
    with pytest.raises(InputError, match=line):
        wrap(module, Preprocessing(size=side, resize=side, stride=16, fixed=True))


def test_layers_that_fit_no_grid_are_left_out_by_name_and_reason():
    model = wrap(timm.create_model("xcit_nano_12_p16_224", img_size=64), TINY)
    assert labels(model) == ["cls_attn_blocks.0.attn", "cls_attn_blocks.1.attn"]
    reasons = dict(model.spec.left_out)
    assert len(reasons) == 12
    assert reasons["blocks.0.attn"].startswith("it attends over channels")


def test_what_is_left_out_keeps_nothing_of_the_run():
    model = wrap(timm.create_model("xcit_nano_12_p16_224", img_size=64), TINY)
    found = model.network._cells[1, 64, 64].values()
    problems = [one for one in found if isinstance(one, UnplacedError)]
    assert len(problems) == 12
    assert all(one.__traceback__ is None for one in problems)


def given_back(module, modes):
    assert not hooks(module)
    assert [one.training for one in module.modules()] == modes


@pytest.mark.parametrize("make", [Attending, Failing])
def test_a_module_gets_everything_back(make):
    module = make()
    module.append = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3))
    modes, before = odd_modes(module), copy.deepcopy(module.state_dict())
    try:
        wrap(module, TINY)
    except InputError:
        assert make is Failing
    given_back(module, modes)
    after = module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    F.scaled_dot_product_attention(*torch.rand(3, 1, 4, 8))  # nothing listens any more


def test_a_compiled_module_is_run_as_it_is_written():
    module = Attending()
    model = wrap(torch.compile(module), TINY)
    assert labels(model) == ["layer"]
    assert model.sha256 == weights_hash(module)


@pytest.mark.parametrize("how", ["in place", "a part"])
def test_compiled_parts_are_run_as_they_are_written(how):
    module = Attending()
    if how == "in place":
        module.layer.compile()
    else:
        module.layer = torch.compile(module.layer)
    (layer,) = wrap(module, TINY).spec.layers
    assert layer[1:] == (1, (1, 4, 4), (1, 4, 4), 0)


class Shuffled(nn.Module):
    """Two windows of tokens that a table names: the same class, the same sizes, another table."""

    def __init__(self, order):
        super().__init__()
        self.patches, self.layer = nn.Conv2d(3, 12, 16, 16), Cut(order)

    def forward(self, x):
        return self.layer(self.patches(x).flatten(2).transpose(1, 2))


class Cut(nn.Module):
    def __init__(self, order):
        super().__init__()
        self.register_buffer("order", order)
        self.inner = Layer(1, 12)

    def forward(self, x):
        return self.inner(x[:, self.order].reshape(2, 8, -1))


def test_windows_of_one_module_are_not_taken_for_those_of_another():
    orders = torch.arange(16), torch.arange(16).reshape(8, 2).T.flatten()
    for order in orders:
        model = wrap(Shuffled(order), TINY)
        with torch.no_grad(), model.network.tapped() as calls:
            model.network(torch.rand(1, 3, 1, 64, 64))
        cells = model.network.cells(calls, (1, 64, 64))["layer.inner"]
        assert cells.key_cell.tolist() == order.reshape(2, 8).tolist()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_kept_as_float32(kind):
    model = wrap(Attending().to(kind), TINY)
    x = torch.rand(1, 3, 1, 64, 64).to(kind)
    with torch.no_grad(), model.network.tapped() as calls:
        model.network(x)
    assert calls[0].queries.dtype == torch.float32


def test_what_is_kept_shares_no_memory_with_the_network():
    model = wrap(picture_network("vit"), TINY)
    with torch.no_grad(), model.network.tapped() as calls:
        model.network(torch.rand(1, 3, 1, 64, 64))
    for call in calls:
        for part in (call.queries, call.keys):
            assert part.untyped_storage().nbytes() == part.nbytes


def test_logits_and_biases_stay_within_their_memory():
    model = wrap(picture_network("cait"), TINY)
    x = torch.rand(1, 3, 1, 64, 64)
    with torch.no_grad(), model.network.tapped() as calls:
        model.network(x)
    needed = [call.logits.nbytes for call in calls if call.logits is not None]
    assert needed
    import models.zoo.wrapped.network as network  # the tap is made there

    made = network.AttentionTap
    try:
        network.AttentionTap = lambda running: AttentionTap(running, memory=needed[0])
        with torch.no_grad(), model.network.tapped() as calls:
            model.network(x)
    finally:
        network.AttentionTap = made
    problems = [call.problem for call in calls if call.problem]
    assert len(problems) == len(needed) - 1
    assert "MB are left; use a smaller input" in problems[0]
    assert runs_of(calls)


def test_the_hash_is_of_the_weights_alone():
    module = Attending()
    first = weights_hash(module)
    assert (len(first), weights_hash(copy.deepcopy(module).eval())) == (64, first)
    with torch.no_grad():
        module.layer.qkv.bias[0] += 1
    assert weights_hash(module) != first


def test_nothing_listens_after_a_known_size_failed_half_way(monkeypatch):
    module = Attending()
    model = wrap(module, TINY)
    inner = module.layer.qkv.forward
    monkeypatch.setattr(module.layer.qkv, "forward", lambda x: inner(x) / nothing())
    with pytest.raises(InputError, match="ZeroDivisionError"), model.network.tapped((1, 64, 64)):
        model.network(torch.rand(1, 3, 1, 64, 64))
    assert not hooks(module)
    assert torch.overrides._get_current_function_mode() is None


def nothing():
    raise ZeroDivisionError
