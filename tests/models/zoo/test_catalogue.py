"""What can be loaded by name: bundled files, downloads, paths; and one line for all the rest."""

from dataclasses import replace

import pytest
import torch
import torchvision

from errors import CheckpointError, MachineError, OutsideError
from models.build import build
from models.checkpoints import own
from models.report import UndecidedError
from models.specs.block import NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing, TemporalSpec
from models.zoo import cache, catalogue, published
from models.zoo.published_row import Url

pytestmark = pytest.mark.slow

BUNDLED = sorted(path.stem for path in catalogue.WEIGHTS.glob("*.safetensors"))


@pytest.fixture
def folder(tmp_path, monkeypatch, nl_model, cgnl_model):
    """A weights folder with two good files and three that are not."""
    own.write(tmp_path / "a-nl.safetensors", nl_model.network, nl_model.class_names, "An NL one")
    own.write(tmp_path / "z-cgnl.safetensors", cgnl_model.network, (), "A CGNL one")
    good = (tmp_path / "a-nl.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(good[:1000])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "text.safetensors").write_bytes(b"hello " * 50)
    (tmp_path / "README.md").write_text("not a weight file")
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    return tmp_path


def test_a_damaged_file_is_listed_with_its_problem_and_the_others_load(folder):
    listed = {entry.id: entry for entry in catalogue.bundled()}
    assert list(listed) == ["a-nl", "cut", "empty", "text", "z-cgnl"]
    assert [e.id for e in catalogue.usable(list(listed.values()))] == ["a-nl", "z-cgnl"]
    for name in ("cut", "empty", "text"):
        assert f"{name}.safetensors" in listed[name].problem
        assert "\n" not in listed[name].problem
        assert listed[name].spec is None
    assert listed["a-nl"].title == "An NL one"
    assert catalogue.load("z-cgnl", "cpu").spec == listed["z-cgnl"].spec


def test_loading_a_damaged_file_by_name_says_what_is_wrong_with_it(folder, one_line):
    with pytest.raises(CheckpointError, match="cut.safetensors") as caught:
        catalogue.load("cut", "cpu")
    one_line(caught.value)


def test_a_weight_file_loads_by_its_path(folder):
    model = catalogue.load(str(folder / "a-nl.safetensors"), "cpu")
    assert model.id == "a-nl"
    assert isinstance(model.spec.block, NonLocalSpec)
    assert (model.class_name(0), model.class_name(6), model.class_name(99)) == (
        "a",
        "g",
        "class 99",
    )


@pytest.mark.parametrize(
    "name", ["", "e2-nope", "../a-nl", "a-nl\n", "<b>x</b>", "null\x00", "n" * 5000, ".."]
)
def test_an_unknown_name_is_refused_with_the_names_there_are(folder, name, one_line):
    with pytest.raises(OutsideError, match="a-nl") as caught:
        catalogue.load(name)
    one_line(caught.value)


@pytest.mark.parametrize("name", ["imagenet-r50", "imagenet-r101-gaussian", "fb-i3d-nl-8x8"])
def test_a_download_that_fails_names_a_bundled_network_instead(folder, monkeypatch, name, one_line):
    def fails(_row, _progress):
        raise MachineError("It could not be downloaded: there is no connection to its host.")

    monkeypatch.setattr(catalogue, "fetch", fails)
    with pytest.raises(MachineError, match="downloaded") as caught:
        catalogue.load(name)
    text = one_line(caught.value)
    assert "a-nl" in text
    assert "cut" not in text


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """Put files into the cache, as if they had been downloaded."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))

    def put(name, state):
        row = replace(published.find(name), source=Url(f"https://publisher/{name}.pth"))
        rows = tuple(row if r.id == name else r for r in published.PUBLISHED)
        monkeypatch.setattr(published, "PUBLISHED", rows)
        path = cache.file_of(row)
        path.parent.mkdir(parents=True)
        torch.save(state, path)
        return path

    return put


def listed(name):
    return next(entry for entry in catalogue.entries() if entry.id == name)


def test_downloaded_weights_fill_the_trunk_and_leave_the_block_the_identity(downloads):
    theirs = torchvision.models.resnet50().eval()
    path = downloads("imagenet-r50", theirs.state_dict())
    model = catalogue.load("imagenet-r50-gaussian", "cpu")
    x = torch.randn(1, 3, 64, 64)
    theirs.to(memory_format=torch.channels_last)  # as the catalogue lays networks out
    with torch.no_grad():
        assert torch.equal(model.network(x.unsqueeze(2)), theirs(x))
    assert len(model.class_names) == 1000
    assert model.sha256 == cache.sha256(path)
    assert [p.label for p in model.network.places] == ["res4.4"]
    assert listed("imagenet-r50-gaussian").spec == model.spec


def cgnl_state(model):
    """A tiny network under the CGNL authors' names: the block takes a number in layer3."""
    names = {"projection.theta": "t", "projection.phi": "p", "projection.g": "g", "expand": "z"}

    def theirs(key):
        if key.startswith("blocks.res4_4."):
            rest = key.removeprefix("blocks.res4_4.").replace("norm.", "gn.")
            for ours, their in names.items():
                rest = rest.replace(ours, their)
            return f"module.layer3.5.{rest}"
        return "module." + key.replace("layer3.5.", "layer3.6.")

    return {theirs(key): value for key, value in model.network.state_dict().items()}


def test_a_published_network_is_read_with_what_is_known_of_its_file(downloads, cgnl_model):
    name = "cgnl-cub-r50-cgnlx"
    assert listed(name).spec is None
    assert "first use" in listed(name).source
    downloads(name, {"state_dict": cgnl_state(cgnl_model), "epoch": 3})
    model = catalogue.load(name, "cpu")
    assert model.id == name
    assert model.spec.block.kernel == "gaussian_rbf"
    facts = {fact.name: fact.source for fact in model.report.facts}
    assert facts["kernel"] == "the published file"
    assert listed(name).spec == model.spec
    assert "on this machine" in listed(name).source
    assert model.class_names == ()  # 7 classes are not CUB's 200


def test_a_checkpoint_of_another_family_loads_by_its_path_with_answers(tmp_path, cgnl_model):
    path = tmp_path / "model_best.pth.tar"
    torch.save({"state_dict": cgnl_state(cgnl_model)}, path)
    with pytest.raises(UndecidedError) as caught:
        catalogue.load(str(path), "cpu")
    assert [q.name for q in caught.value.questions] == ["kernel"]
    model = catalogue.load(str(path), "cpu", {"kernel": "cgnl"})
    assert model.spec.block.kernel == "dot_product"
    x = torch.randn(1, 3, 1, 64, 64)
    cgnl_model.network.to(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(model.network(x), cgnl_model.network(x))


def test_what_is_noted_by_another_version_is_left_aside(downloads, cgnl_model):
    name = "cgnl-cub-r50-cgnlx"
    path = downloads(name, {"state_dict": cgnl_state(cgnl_model)})
    for text in ('{"spec": {"kind": "unheard of"}}', '{"spec": 3}', "[]", "{"):
        (path.parent / "record.json").write_text(text)
        assert listed(name).spec is None
    catalogue.load(name, "cpu")
    assert listed(name).spec is not None


def test_everything_listed_has_a_name_of_its_own():
    names = [entry.id for entry in catalogue.entries()]
    assert len(names) == len(set(names))
    assert {"imagenet-r50", "imagenet-r152-gaussian"} <= set(names)


def test_the_repository_brings_a_network_of_each_kind():
    kinds = {type(e.spec.block).__name__ for e in catalogue.usable(catalogue.bundled())}
    assert {"NonLocalSpec", "CGNLSpec"} <= kinds


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_network_loads_and_gives_finite_logits(name):
    model = catalogue.load(name, "cpu")
    assert len(model.class_names) == model.spec.num_classes
    with torch.no_grad():
        logits = model.network(torch.randn(1, 3, 1, 64, 96))
    assert logits.shape == (1, model.spec.num_classes)
    assert logits.isfinite().all()
    assert logits.std() > 0


def test_bundled_files_fit_the_repository():
    assert sum(p.stat().st_size for p in catalogue.WEIGHTS.glob("*")) <= 60e6


def test_a_clip_network_by_its_path_is_laid_out_for_speed_and_gives_the_same(tmp_path):
    temporal = TemporalSpec(stem_frames=5, inflated=((0,), (), (), ()))
    spec = ModelSpec(
        base_width=8,
        num_classes=7,
        temporal=temporal,
        preprocessing=Preprocessing(size=64, resize=64, frames=4),
    )
    network = build(spec)
    own.write(tmp_path / "clips.safetensors", network.half().float(), (), "Clips")
    model = catalogue.load(str(tmp_path / "clips.safetensors"), "cpu")
    stem, flat = model.network.conv1.weight, model.network.layer1[1].conv2.weight
    assert stem.is_contiguous(memory_format=torch.channels_last_3d)
    assert flat.is_contiguous(memory_format=torch.channels_last)
    x = torch.randn(1, 3, 4, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(x), network(x), rtol=1e-4, atol=1e-5)
