"""Networks of libraries by name: found, filled, prepared as they were trained, refused in one
line."""

import importlib
import socket

import pytest
import safetensors.torch
import timm
import torch
import transformers

from errors import CheckpointError, InputError, MachineError, OutsideError
from models.zoo import catalogue
from models.zoo.wrapped.libraries import hf_networks, names, registry, weights
from models.zoo.wrapped.libraries.names import LibraryName, is_library_name, parse

pytestmark = pytest.mark.slow

VIT = "timm:vit_tiny_patch16_224?pretrained=no"
SMALL = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3,
         "intermediate_size": 64, "image_size": 64, "patch_size": 16}  # fmt: skip


@pytest.fixture
def _offline(monkeypatch):
    """Let no host answer, and the hub's client ask nothing."""

    def refuse(*_given, **_how):
        raise OSError("no route to host")

    monkeypatch.setattr(weights, "reaches", lambda _host: False)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HF_HUB_CACHE", "/nonexistent")


offline = pytest.mark.usefixtures("_offline")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timm:a_b.c", LibraryName("timm", "a_b.c")),
        ("timm:a?pretrained=no", LibraryName("timm", "a", False)),
        ("timm:a?pretrained=yes", LibraryName("timm", "a", True)),
        ("hf:org/name?weights=/x/y.safetensors", LibraryName("hf", "org/name", False,
                                                           "/x/y.safetensors")),
    ],
)  # fmt: skip
def test_names_are_read(text, expected):
    assert is_library_name(text)
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["timm:", "timm:a?b=c", "timm:a?pretrained=maybe", "hf:?weights=x"]
)
def test_what_is_no_name_is_refused_with_how_to_write_one(text):
    with pytest.raises(OutsideError, match="is not the name of a network; write"):
        parse(text)


@pytest.mark.parametrize("text", ["e2-nl", "other:name", "timm", "model.pth", "C:/a/b.pth"])
def test_other_names_are_none_of_a_library(text):
    assert not is_library_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "timm:a?weights=/etc/x.pth",
        "hf:/etc",
        "hf:models/zoo",
        "hf:a",
        "hf:../../x",
        "hf:a/b/c",
        "hf:~/x",
    ],
)
def test_places_on_a_machine_are_no_public_names(text):
    with pytest.raises(OutsideError, match="is a place on a machine"):
        names.check_public(text)


@pytest.mark.parametrize("text", ["timm:a_b.c", "hf:org/a-name.b", "torchvision:x?pretrained=no"])
def test_names_of_networks_are_public(text):
    names.check_public(text)


@pytest.mark.parametrize(
    "name", ["torchvision:vit_b_16", "timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k"]
)
def test_nothing_is_downloaded_where_it_is_not_wanted(name, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "reaches", lambda _host: pytest.fail("asked for a connection"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(MachineError, match="are not on this machine"):
        registry.load(name, download=False)


def test_a_network_of_timm_comes_with_its_preprocessing():
    model = catalogue.load(VIT)
    assert (model.id, model.spec.source) == (VIT, f"timm {timm.__version__}")
    prep = model.spec.preprocessing
    assert (prep.size, prep.resize, prep.mean, prep.interpolation) == (
        224,
        249,
        (0.5,) * 3,
        "bicubic",
    )
    assert (prep.stride, prep.fixed) == (16, False)
    assert len(model.spec.layers) == 12
    # Random weights know nothing: their scores have numbers and no names.
    assert (model.spec.num_classes, model.class_names) == (1000, ())


def test_random_weights_are_always_the_same():
    torch.manual_seed(1)
    first = catalogue.load(VIT).sha256
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert catalogue.load(VIT).sha256 == first
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_of_torchvision_comes_with_its_preprocessing():
    model = registry.load("torchvision:swin_t?pretrained=no")
    prep = model.spec.preprocessing
    assert (prep.size, prep.resize, prep.fixed, prep.interpolation) == (224, 232, True, "bicubic")
    assert (model.spec.num_classes, len(model.spec.layers)) == (1000, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder as transformers writes it: a small classifier with its preprocessing."""
    place = tmp_path_factory.mktemp("hf")
    config = transformers.ViTConfig(**SMALL, num_labels=3, id2label={0: "a", 1: "b", 2: "c"})
    transformers.ViTForImageClassification(config).save_pretrained(place)
    how = {
        "size": {"height": 64, "width": 64},
        "image_mean": [0.1, 0.2, 0.3],
        "image_std": [0.5] * 3,
    }
    transformers.ViTImageProcessor(**how).save_pretrained(place)
    return place


@offline
def test_a_folder_of_transformers_is_a_network_with_its_classes(folder):
    model = registry.load(f"hf:{folder}")
    assert model.class_names == ("a", "b", "c")
    assert model.spec.preprocessing.mean == (0.1, 0.2, 0.3)
    assert [layer[1:] for layer in model.spec.layers] == [(3, (1, 4, 4), (1, 4, 4), 1)] * 2
    assert model.spec.source == f"transformers {transformers.__version__}"


@offline
def test_of_a_model_of_pictures_and_texts_the_pictures_are_taken(tmp_path):
    vision = {**SMALL}
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 32, "vocab_size": 50}  # fmt: skip
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    transformers.CLIPModel(config).save_pretrained(tmp_path)
    model = registry.load(f"hf:{tmp_path}")
    assert (len(model.spec.layers), model.spec.num_classes) == (2, 0)


@offline
def test_a_model_of_texts_is_refused(tmp_path):
    transformers.BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                            intermediate_size=32).save_pretrained(tmp_path)  # fmt: skip
    with pytest.raises(InputError, match="of the kind bert takes no pictures"):
        registry.load(f"hf:{tmp_path}?pretrained=no")


def test_without_transformers_its_package_is_named(monkeypatch):
    def missing(name):
        if name == "transformers":
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(hf_networks.importlib, "import_module", missing)
    with pytest.raises(
        MachineError, match="need the package transformers.*pip install transformers"
    ):
        hf_networks.parts(LibraryName("hf", "a/b"))


@offline
@pytest.mark.parametrize(
    "name", ["timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k", "hf:nobody/nothing-here"]
)
def test_offline_is_said_in_one_line_at_once(name):
    with pytest.raises(MachineError, match="could not be downloaded from huggingface.co") as caught:
        registry.load(name)
    assert "connect to the internet, check the name, or give a file" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("timm:vit_tony_patch16", "not a network of timm; perhaps vit_"),
        ("torchvision:vit_b", "not a network of torchvision; perhaps vit_b"),
        ("timm:resnet18?pretrained=no", "Nothing attends in ResNet"),
        ("timm:test_vit4", "not a network of timm|has no weights|could not be"),
    ],
)
def test_what_cannot_be_had_is_refused(name, line, monkeypatch):
    monkeypatch.setattr(weights, "reaches", lambda _host: False)
    with pytest.raises((InputError, MachineError), match=line):
        registry.load(name)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_file_of_weights_takes_the_place_of_the_published(tmp_path, suffix):
    module = timm.create_model("vit_tiny_patch16_224", dynamic_img_size=True)
    path = tmp_path / f"own.{suffix}"
    if suffix == "pth":
        torch.save(module.state_dict(), path)
    else:
        safetensors.torch.save_file(module.state_dict(), path)
    model = registry.load(f"timm:vit_tiny_patch16_224?weights={path}")
    expected = module.state_dict()
    found = model.network.module.state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_a_file_of_other_weights_is_refused_whole(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"blocks.0.attn.qkv.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(CheckpointError, match="other.safetensors does not fit this network"):
        registry.load(f"timm:vit_tiny_patch16_224?weights={path}")


def test_names_are_searched_by_all_their_words():
    found = registry.search("dinov2 small")
    assert "timm:vit_small_patch14_dinov2.lvd142m" in found
    assert all("dinov2" in name and "small" in name for name in found)
    assert registry.search("swin3d_t") == ["torchvision:swin3d_t"]
    assert registry.search("no such network") == []


@pytest.mark.parametrize("name", registry.STARTING_POINTS)
def test_starting_points_are_names_of_their_libraries(name):
    wanted = names.parse(name)
    if wanted.library == "timm":
        assert timm.models.is_model_pretrained(wanted.name)
    elif wanted.library == "torchvision":
        assert name in registry.search(wanted.name)
