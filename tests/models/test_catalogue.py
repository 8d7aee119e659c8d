"""What can be loaded by name: bundled files, downloads, paths; and one line for all the rest."""

import pytest
import torch
import torchvision

from errors import CheckpointError, MachineError, OutsideError
from models import catalogue
from models.checkpoints import own
from models.specs import NonLocalSpec

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
    "name", ["", "r50n-nope", "../a-nl", "a-nl\n", "<b>x</b>", "null\x00", "n" * 5000, ".."]
)
def test_an_unknown_name_is_refused_with_the_names_there_are(folder, name, one_line):
    with pytest.raises(OutsideError, match="a-nl") as caught:
        catalogue.load(name)
    one_line(caught.value)


@pytest.mark.parametrize("name", ["imagenet-r50", "imagenet-r101-gaussian"])
@pytest.mark.parametrize(
    "problem",
    [OSError("no route to host"), RuntimeError('invalid hash value (expected "a",\ngot "b")')],
    ids=["offline", "damaged download"],
)
def test_a_download_that_fails_names_a_bundled_network_instead(
    folder, monkeypatch, name, problem, one_line
):
    def fails(*args, **kwargs):
        raise problem

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fails)
    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", fails)
    with pytest.raises(MachineError, match="downloaded") as caught:
        catalogue.load(name)
    text = one_line(caught.value)
    assert name in text
    assert "a-nl" in text
    assert "cut" not in text


def test_downloaded_weights_fill_the_trunk_and_leave_the_block_the_identity(monkeypatch):
    theirs = torchvision.models.resnet50().eval()
    monkeypatch.setattr(
        torchvision.models._api,
        "load_state_dict_from_url",
        lambda *_args, **_kwargs: theirs.state_dict(),
    )
    model = catalogue.load("imagenet-r50-gaussian", "cpu")
    x = torch.randn(1, 3, 64, 64)
    theirs.to(memory_format=torch.channels_last)  # as the catalogue lays networks out
    with torch.no_grad():
        assert torch.equal(model.network(x.unsqueeze(2)), theirs(x))
    assert len(model.class_names) == 1000
    assert len(model.sha256) == 64
    assert [p.label for p in model.network.places] == ["res4.4"]


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
    assert sum(p.stat().st_size for p in catalogue.WEIGHTS.glob("*")) <= 45 * 2**20
