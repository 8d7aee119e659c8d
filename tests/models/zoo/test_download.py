"""Downloads: whole and verified or not at all, resumed, one at a time, and one line when not."""

import errno
import hashlib
import json
import threading
from pathlib import Path

import gdown
import pytest
import requests
from filelock import FileLock

from errors import MachineError
from models.zoo import cache, download
from models.zoo.published_row import Drive, Published, Url
from tests.models.web import Site, serving

CONTENT = bytes(range(251)) * 4001
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(download, "_BLOCK", 2**14)
    return tmp_path / "cache"


@pytest.fixture
def site():
    with serving(Site(CONTENT)) as running:
        yield running


def row(source):
    return Published("net", "A net", "f", "p", "d", "1 / 2", "8 px", source, "digits", "MIT")


def at(site, sha256=""):
    return row(Url(site.url, sha256))


def refused(published, **more):
    with pytest.raises(MachineError) as caught:
        download.fetch(published, **more)
    return str(caught.value)


def left(folder):
    """Names of what stands in the row's folder, locks aside."""
    return sorted(p.name for p in (folder / "net").iterdir() if p.suffix != ".lock")


def stop_after(count):
    def progress(so_far, _total):
        if so_far >= count:
            raise KeyboardInterrupt

    return progress


def test_a_file_arrives_whole_under_the_publishers_name_with_its_hash_noted(site, folder):
    seen = []
    path = download.fetch(at(site, DIGEST[:8]), lambda *step: seen.append(step))
    assert path == folder / "net" / "net-v1.pth"
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [s for s, _ in seen] == sorted({s for s, _ in seen})
    noted = json.loads((folder / "net" / "record.json").read_text())
    assert (noted["sha256"], noted["bytes"]) == (DIGEST, len(CONTENT))
    assert left(folder) == ["net-v1.pth", "record.json"]


def test_a_file_that_is_here_is_not_asked_for_again(site):
    download.fetch(at(site))
    download.fetch(at(site))
    assert site.asked == [None]


def test_a_connection_that_breaks_half_way_is_taken_up_where_it_broke(site):
    site.cut_after = 300_001
    assert download.fetch(at(site)).read_bytes() == CONTENT
    whole_blocks = 300_001 - 300_001 % download._BLOCK
    assert site.asked == [None, f"bytes={whole_blocks}-"]


def test_a_download_that_was_stopped_goes_on_next_time(site, folder):
    with pytest.raises(KeyboardInterrupt):
        download.fetch(at(site), stop_after(200_000))
    assert left(folder) == ["net-v1.pth.part", "net-v1.pth.part.etag"]
    had = (folder / "net" / "net-v1.pth.part").stat().st_size
    assert 200_000 <= had < len(CONTENT)
    assert download.fetch(at(site)).read_bytes() == CONTENT
    assert site.asked[1] == f"bytes={had}-"
    assert left(folder) == ["net-v1.pth", "record.json"]


def test_a_file_that_changed_on_the_server_meanwhile_comes_whole(site):
    with pytest.raises(KeyboardInterrupt):
        download.fetch(at(site), stop_after(200_000))
    site.content, site.etag = CONTENT[::-1], '"two"'
    assert download.fetch(at(site)).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("change", [{"ranges": False}, {"etag": ""}])
def test_a_server_that_cannot_resume_sends_everything_again(site, change):
    for name, value in change.items():
        setattr(site, name, value)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(at(site), stop_after(200_000))
    assert download.fetch(at(site)).read_bytes() == CONTENT


def test_a_part_as_long_as_the_file_is_fetched_anew(site, folder):
    (folder / "net").mkdir(parents=True)
    (folder / "net" / "net-v1.pth.part").write_bytes(b"x" * len(CONTENT))
    (folder / "net" / "net-v1.pth.part.etag").write_text('"one"')
    assert download.fetch(at(site, DIGEST[:8])).read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_other_bytes_than_published_are_refused_and_not_kept(site, folder, one_line):
    with pytest.raises(MachineError, match="was expected") as caught:
        download.fetch(at(site, "00000000"))
    one_line(caught.value)
    assert left(folder) == []


def test_a_file_that_was_changed_since_its_download_is_refused(site):
    path = download.fetch(at(site))
    path.write_bytes(CONTENT[:-1])
    assert "changed" in refused(at(site))
    cache.remove(at(site))
    assert download.fetch(at(site)).read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_web_page_in_place_of_the_file_is_refused(site, folder, kind):
    site.content, site.kind = b"\n<!DOCTYPE html><title>Quota exceeded</title>", kind
    assert "web page" in refused(at(site))
    assert left(folder) == []


def test_a_file_that_moved_is_named_with_its_link(site, one_line):
    site.status = 404
    with pytest.raises(MachineError, match="404") as caught:
        download.fetch(at(site))
    assert site.url in one_line(caught.value)


def test_no_connection_says_so(site, one_line):
    nowhere = row(Url("http://localhost:9/net.pth"))
    with pytest.raises(MachineError, match="no connection") as caught:
        download.fetch(nowhere)
    one_line(caught.value)


def test_a_connection_that_breaks_again_and_again_keeps_what_came(site, folder, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    site.cut_after = 100_000
    assert "broke" in refused(at(site))
    assert (folder / "net" / "net-v1.pth.part").stat().st_size > 80_000


def test_a_file_over_the_cap_is_refused_before_it_comes(site, folder, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", len(CONTENT) - 1)
    assert "up to" in refused(at(site))
    assert "net-v1.pth" not in left(folder)


def test_a_full_disk_is_told_before_the_download(site, monkeypatch):
    usage = type("Usage", (), {"free": len(CONTENT) - 1})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _path: usage)
    assert "No space" in refused(at(site))


def test_a_disk_that_fills_up_meanwhile_is_told(site, folder, monkeypatch):
    def full(_so_far, _total):
        raise OSError(errno.ENOSPC, "No space left on device")

    text = refused(at(site), progress=full)
    assert "make room" in text
    assert str(folder) in text


def test_a_folder_that_cannot_be_written_is_told(site, tmp_path, monkeypatch):
    blocked = tmp_path / "a-file"
    blocked.write_text("mine")
    monkeypatch.setenv(cache.VARIABLE, str(blocked))
    assert cache.VARIABLE in refused(at(site))
    assert blocked.read_text() == "mine"


def test_two_sessions_at_once_write_one_file(site):
    site.hold = threading.Event()
    started, results = threading.Event(), []
    first = threading.Thread(
        target=lambda: results.append(
            download.fetch(at(site), lambda so_far, _total: so_far and started.set())
        )
    )
    first.start()
    assert started.wait(20)
    shown = []

    def release(so_far, total):
        shown.append((so_far, total))
        site.hold.set()

    assert download.fetch(at(site), release).read_bytes() == CONTENT
    first.join()
    assert shown[0][0] > 0, "who waits sees the other's progress"
    assert results[0].read_bytes() == CONTENT
    assert site.asked == [None]


def test_a_download_by_somebody_else_is_not_waited_for_without_end(site, monkeypatch):
    monkeypatch.setattr(download, "LONGEST_WAIT_S", 0)
    place = cache.file_of(at(site))
    place.parent.mkdir(parents=True)
    with FileLock(place.with_name(place.name + ".lock")):
        assert "by another session" in refused(at(site))


def drive(content=CONTENT):
    """A stand-in for gdown.download that writes ``content`` and keeps what it was asked."""
    asked = []

    def fetch(**options):
        asked.append(options)
        options["progress"](len(content) // 2, len(content))
        Path(options["output"]).write_bytes(content)
        options["progress"](len(content), len(content))
        return options["output"]

    return fetch, asked


GOOGLE = row(Drive("an-id", "bird.pth.tar"))


def test_google_drive_files_come_through_gdown(folder, monkeypatch):
    fetch, asked = drive()
    monkeypatch.setattr(gdown, "download", fetch)
    seen = []
    path = download.fetch(GOOGLE, lambda *step: seen.append(step))
    assert path == folder / "net" / "bird.pth.tar"
    assert path.read_bytes() == CONTENT
    assert asked[0]["id"] == "an-id"
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert cache.record(GOOGLE)["sha256"] == DIGEST


def test_a_google_page_saved_as_weights_is_refused(monkeypatch):
    monkeypatch.setattr(gdown, "download", drive(b"<html>Too many users</html>")[0])
    assert "web page" in refused(GOOGLE)
    assert not cache.is_cached(GOOGLE)


def test_googles_quota_is_one_line_with_a_way_out(monkeypatch, one_line):
    def fails(**_options):
        raise gdown.exceptions.FileURLRetrievalError("Failed to retrieve file url:\n\n\tToo many")

    monkeypatch.setattr(gdown, "download", fails)
    with pytest.raises(MachineError, match="Google Drive") as caught:
        download.fetch(GOOGLE)
    assert "an-id" in one_line(caught.value)


def test_a_machine_without_a_network_says_so_of_google_drive_as_of_others(monkeypatch, one_line):
    def fails(**_options):
        cause = requests.ConnectionError("no route to host")
        raise gdown.exceptions.DownloadError("Download failed after 2 retries") from cause

    monkeypatch.setattr(gdown, "download", fails)
    with pytest.raises(MachineError) as caught:
        download.fetch(GOOGLE)
    assert "connection" in one_line(caught.value)
    assert "Google Drive does not give" not in str(caught.value)
