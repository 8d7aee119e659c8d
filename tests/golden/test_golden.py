"""Parity with the original implementations: logits, every attention entry, taps and gates."""

import lzma
from pathlib import Path

import pytest
import torch

from scripts.goldens import verify_goldens
from scripts.goldens.golden_blocks import gate_cases, nonlocal_cases
from scripts.goldens.golden_cases import compare

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
RESULTS = (".expect.pt.xz", ".boxes.pt.xz")
CHECKPOINTS = sorted(p for p in HERE.glob("*/*.xz") if not p.name.endswith(RESULTS))


def unpacked(packed: Path, folder: Path) -> Path:
    """Write a case's file as its makers did."""
    path = folder / packed.parent.name / packed.name.removesuffix(".xz")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


def test_every_family_with_public_code_is_here() -> None:
    assert {p.parent.name for p in CHECKPOINTS} == {
        "cgd",
        "cgnl",
        "fb_nonlocal",
        "gluoncv",
        "mmaction2",
        "pyslowfast",
        "tsm_mit",
    }


@pytest.mark.parametrize("packed", CHECKPOINTS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_checkpoint_gives_what_the_original_gives(packed: Path, tmp_path: Path) -> None:
    path = unpacked(packed, tmp_path)
    stem = path.name.partition(".")[0]
    expectation = unpacked(packed.with_name(f"{stem}.expect.pt.xz"), tmp_path)
    expected = torch.load(expectation, weights_only=True)
    model, note = verify_goldens.load(path, expected.get("meta", {}))
    found = verify_goldens.differences(model, expected)
    assert not note, "the file alone tells what the network is"
    assert len(found) == 1 + len(expected.get("attention", {})) + len(expected.get("taps", {}))
    assert [d for d in found if not d.passed] == []


def test_single_blocks_of_all_functions_give_what_the_original_gives(tmp_path: Path) -> None:
    found = nonlocal_cases(unpacked(HERE / "alexhex7" / "blocks.expect.pt.xz", tmp_path))
    assert len(found) == 96
    assert [d for d in found if not d.exact] == []


def test_single_gates_give_what_the_original_gives(tmp_path: Path) -> None:
    found = gate_cases(unpacked(HERE / "cgd" / "layers.expect.pt.xz", tmp_path))
    assert [d.name for d in found] == [
        "channel",
        "spatial",
        "combined_as_published",
        "detection_squeeze",
    ]
    assert [d for d in found if not d.exact] == []


def test_a_wrong_value_is_a_failure() -> None:
    wanted = torch.tensor([1.0, -2.0, 3.0])
    off = wanted + torch.tensor([0.0, 0.0, 1e-3])
    assert compare("same", wanted, wanted, wanted).exact
    assert not compare("off", off, off, wanted).passed


def test_rounding_excuses_only_what_it_measures() -> None:
    wanted = torch.tensor([1.0, -2.0, 3.0])
    ours = wanted + torch.tensor([0.0, 0.0, 3e-3])
    precise = wanted + torch.tensor([0.0, 0.0, 1e-3])
    excused = compare("rounding", ours, precise, wanted)
    assert excused.passed
    assert not excused.exact
    assert not compare("too far", ours + 1e-2, precise + 1e-2, wanted).passed


def test_rounding_as_large_as_the_values_proves_nothing() -> None:
    wanted = torch.tensor([1.0, -2.0, 3.0])
    assert not compare("noise", wanted + 0.2, wanted - 0.2, wanted).passed


def test_the_script_says_so_when_a_folder_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["verify_goldens", str(tmp_path)])
    assert verify_goldens.main() == 1
    assert "no checkpoint" in capsys.readouterr().out


def test_the_script_fails_on_a_checkpoint_that_gives_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = HERE / "cgd" / "cifar_wrn16_1.pth.tar.xz"
    unpacked(packed, tmp_path)
    expectation = unpacked(packed.with_name("cifar_wrn16_1.expect.pt.xz"), tmp_path)
    monkeypatch.setattr("sys.argv", ["verify_goldens", str(tmp_path)])
    assert verify_goldens.main() == 0
    expected = torch.load(expectation, weights_only=True)
    expected["logits"] *= 1.01
    torch.save(expected, expectation)
    assert verify_goldens.main() == 1
    assert "FAIL cgd" in capsys.readouterr().out
