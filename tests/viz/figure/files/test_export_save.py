"""Saving a file: whole or not at all, and one line that says what stood in the way."""

import errno
import os
from pathlib import Path

import pytest

from errors import MachineError
from viz.figure.files import export


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_saving_writes_the_file_and_replaces_an_older_one(tmp_path):
    path = tmp_path / "figure é.pdf"
    for content in (b"first, and longer", b"second"):
        export.save(content, path)
        assert path.read_bytes() == content
    assert left(tmp_path) == ["figure é.pdf"]
    usual = tmp_path / "usual"
    usual.touch()
    assert path.stat().st_mode == usual.stat().st_mode


def test_saving_to_a_link_writes_the_file_that_it_points_to(tmp_path):
    path, link = tmp_path / "real.pdf", tmp_path / "link.pdf"
    path.write_bytes(b"old")
    link.symlink_to(path)
    export.save(b"new", link)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.EACCES, "no permission"),
        (errno.EROFS, "can only be read"),
        (errno.ENOSPC, "no room left"),
        (errno.EDQUOT, "used up"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_machine_that_refuses_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, step, code, told
):
    path = tmp_path / "figure.pdf"
    path.write_bytes(b"old")

    def refuse(self, *_args):
        if step == "write_bytes":
            with self.open("wb") as part:
                part.write(b"ha")
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, step, refuse)
    with pytest.raises(MachineError, match=told) as caught:
        export.save(b"new content", path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["figure.pdf"]


def test_an_interrupted_save_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(_self, _target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        export.save(b"new", tmp_path / "figure.pdf")
    assert left(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_device_is_not_replaced_by_a_file():
    with pytest.raises(MachineError, match="no ordinary file"):
        export.save(b"new", Path("/dev/full"))
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing/figure.pdf", "does not exist; make that folder"),
        ("file/figure.pdf", "is no folder"),
        ("folder", "is a folder; add or choose a file's name"),
        ("ring", "choose another place"),
        ("nul\0l.pdf", "choose another place"),
        ("x" * 300 + ".pdf", "name is too long"),
    ],
)
def test_a_place_that_cannot_hold_the_file_is_named_in_one_line(tmp_path, name, told):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    before = left(tmp_path)
    with pytest.raises(MachineError, match=told) as caught:
        export.save(b"new", tmp_path / name)
    assert "was not saved" in str(caught.value)
    assert left(tmp_path) == before
