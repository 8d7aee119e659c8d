"""Our weight files: a round trip, and every damaged or foreign file refused whole, in one line."""

import json
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from errors import CheckpointError
from models import build as build_module
from models.checkpoints import own
from models.checkpoints.containers import container_type, read
from models.checkpoints.fill import fill
from models.specs.block import CGNLSpec, NonLocalSpec


@pytest.fixture
def saved(tmp_path, nl_model):
    path = tmp_path / "small.safetensors"
    own.write(path, nl_model.network, nl_model.class_names, "A small network")
    return path


def metadata_of(path):
    with safe_open(path, framework="pt") as file:
        return file.metadata()


def rewrite(path, change_tensors=None, change_metadata=None):
    """Write the file again with changed tensors or metadata."""
    tensors, metadata = load_file(path), metadata_of(path)
    (change_tensors or dict)(tensors)
    (change_metadata or dict)(metadata)
    save_file(tensors, path, metadata)


def refused(path, one_line):
    """Return the refusal of a file, which inspecting and loading it word alike."""
    with pytest.raises(CheckpointError) as caught:
        own.load(path)
    with pytest.raises(CheckpointError) as inspected:
        own.inspect(path)
    assert str(inspected.value) == str(caught.value)
    return one_line(caught.value)


@pytest.mark.parametrize("spec", [NonLocalSpec(pool_keys="after"), CGNLSpec(groups=8), None])
def test_a_network_written_and_loaded_is_the_same_network_in_half_precision(
    tmp_path, tiny_model, spec
):
    model = tiny_model(spec)
    path = tmp_path / "net.safetensors"
    own.write(path, model.network, model.class_names, "Title")
    loaded = own.load(path)
    assert (loaded.id, loaded.spec, loaded.class_names) == ("net", model.spec, model.class_names)
    before, after = model.network.state_dict(), loaded.network.state_dict()
    assert before.keys() == after.keys()
    for key, value in before.items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(after[key], value.half().float()), key
    assert not any(m.training for m in loaded.network.modules())
    assert all(v.dtype != torch.float32 for v in load_file(path).values())
    assert len(loaded.sha256) == 64
    assert own.load(path).sha256 == loaded.sha256
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_the_header_is_read_without_the_tensors(saved, nl_model):
    header = own.read_header(saved)
    assert header == own.Header(nl_model.spec, nl_model.class_names, "A small network")


def test_inspecting_verifies_every_key_on_an_outline_and_builds_no_network(saved, monkeypatch):
    expected = own.load(saved)
    outlined = []
    build = build_module.build

    def only_outlines(spec):
        assert torch.empty(0).is_meta, "a network with memory was built"
        outlined.append(spec)
        return build(spec)

    monkeypatch.setattr(build_module, "build", only_outlines)
    monkeypatch.setattr(own, "build", only_outlines)
    header, report = own.inspect(saved)
    assert outlined == [expected.spec]
    assert header == own.read_header(saved)
    assert report == expected.report
    assert report.renamed.keys() == load_file(saved).keys()
    with pytest.raises(AssertionError, match="with memory"):
        own.load(saved)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(saved, nl_model, monkeypatch):
    before = saved.read_bytes()

    def fails(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own, "save_file", fails)
    with pytest.raises(OSError, match="No space"):
        own.write(saved, nl_model.network, (), "new")
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def first_key(tensors):
    return sorted(tensors)[0]


FAULTS = {
    "missing": (lambda t: t.pop("conv1.weight"), "1 key missing (conv1.weight)"),
    "extra": (lambda t: t.update(stranger=torch.ones(2)), "1 key not known (stranger)"),
    "shape": (lambda t: t.update({"fc.bias": torch.ones(8)}), "1 key of another shape (fc.bias)"),
    "nan": (lambda t: t["fc.bias"].fill_(float("nan")), "1 key not finite (fc.bias)"),
    "infinite": (lambda t: t["fc.bias"].fill_(float("inf")), "1 key not finite (fc.bias)"),
    "many": (lambda t: [t.pop(k) for k in sorted(t)[:9]], "9 keys missing"),
    "line break": (lambda t: t.update({"a\nb<script>": torch.ones(2)}), "not known (a b<script>)"),
    "float8": (lambda t: t.update(odd=torch.ones(2).to(torch.float8_e4m3fn)), "not known (odd)"),
}


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS)
def test_keys_that_do_not_fit_are_named_and_nothing_is_loaded(saved, change, words, one_line):
    rewrite(saved, change)
    text = refused(saved, one_line)
    assert words in text
    assert "small.safetensors" in text
    assert "Nothing was loaded" in text


def test_filling_with_one_wrong_key_changes_no_other(plain_model):
    network = plain_model.network
    before = {k: v.clone() for k, v in network.state_dict().items()}
    wrong = {k: v + 1 for k, v in before.items() if not k.endswith("num_batches_tracked")}
    wrong["fc.bias"] = torch.ones(3)
    with pytest.raises(CheckpointError):
        fill(network, wrong, "wrong")
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def spec_with(**changes):
    def change(metadata):
        metadata["spec"] = json.dumps(json.loads(metadata["spec"]) | changes)

    return change


METADATA = {
    "other format": lambda m: m.update(format="pt"),
    "no format": lambda m: m.pop("format"),
    "no spec": lambda m: m.pop("spec"),
    "no classes": lambda m: m.pop("classes"),
    "classes not a list": lambda m: m.update(classes='{"a": 1}'),
    "spec not json": lambda m: m.update(spec="{"),
    "spec not a table": lambda m: m.update(spec="[3]"),
    "spec nested deep": lambda m: m.update(spec="[" * 200_000),
    "spec key with line break": spec_with(**{"x\ny": 1}),
    "unknown depth": spec_with(depth=34),
    "other width": spec_with(base_width=16),
    "width of text": spec_with(base_width="8"),
    "width beyond any memory": spec_with(base_width=8 * 10**6),
    "largest allowed network": spec_with(base_width=512, depth=152),
    "classes beyond any memory": spec_with(num_classes=10**12),
    "groups that do not divide": spec_with(block={"kind": "cgnl", "groups": 7}),
}


@pytest.mark.parametrize("change", METADATA.values(), ids=METADATA)
def test_a_foreign_or_contradictory_description_is_refused_in_one_line(saved, change, one_line):
    rewrite(saved, change_metadata=change)
    assert "small.safetensors" in refused(saved, one_line)


BYTES = {
    "empty": b"",
    "short": b"abc",
    "text": b"this is no weight file, it is a line of text",
    "pickle": b"\x80\x04\x95" + b"\x00" * 60,
    "header longer than the file": struct.pack("<Q", 2**40) + b"{}" + b" " * 90,
    "header over the cap": struct.pack("<Q", container_type.MAX_HEADER_BYTES + 1) + b"{" * 64,
    "header not json": struct.pack("<Q", 8) + b"notjson!" + b"\x00" * 32,
    "header with a tensor outside": struct.pack("<Q", 64)
    + json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}).encode().ljust(64),
}


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_a_file_that_is_no_safetensors_is_refused_in_one_line(tmp_path, content, one_line):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    assert "other.safetensors" in refused(path, one_line)


@pytest.mark.parametrize("keep", [0.001, 0.01, 0.5, 0.999])
def test_a_cut_off_file_is_refused(saved, keep, one_line):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * keep)])
    refused(saved, one_line)


def test_a_file_over_the_size_cap_is_refused_without_reading_it(tmp_path, one_line):
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(container_type.MAX_BYTES + 1)
    assert "2.0 GB" in refused(path, one_line)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("not there.safetensors", "could not be read"),
        ("null\x00.safetensors", "could not be read"),
        (".", "is a folder"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused(tmp_path, name, words, one_line):
    assert words in refused(tmp_path / name, one_line)


def test_another_container_is_named(tmp_path, one_line):
    path = tmp_path / "other.safetensors"
    torch.save({"a": torch.ones(2)}, path)
    assert "is a torch zip file" in refused(path, one_line)


def test_own_and_foreign_files_have_the_same_limits(saved, monkeypatch):
    monkeypatch.setattr(container_type, "MAX_BYTES", saved.stat().st_size - 1)
    texts = []
    for read_file in (own.load, own.inspect, own.read_header, read.read):
        with pytest.raises(CheckpointError, match=r"up to 0 GB") as caught:
            read_file(saved)
        texts.append(str(caught.value))
    assert len(set(texts)) == 1
