"""Fetching published checkpoints: resumed, verified, renamed into the cache only when whole."""

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from filelock import FileLock, Timeout

from errors import MachineError
from models.zoo import cache
from models.zoo.published_row import Drive, Published, Url

MAX_BYTES = 4 * 2**30
ATTEMPTS = 4
"""How often a connection may break before the user is asked to try later."""
_TIMEOUT_S = (10, 60)
_BLOCK = 2**18
_LOOK_EVERY_S = 0.2
LONGEST_WAIT_S = 30 * 60
"""How long a download that another session makes is waited for."""

Progress = Callable[[int, int | None], None]
"""Called with (bytes so far, all bytes or None); whatever it raises stops the download."""


def nobody(_so_far: int, _total: int | None) -> None:
    """Show no progress."""


def fetch(row: Published, progress: Progress = nobody) -> Path:
    """Return the path of a published checkpoint, downloaded if it is not here yet, and verified.

    To cancel, raise from ``progress``: the part received is kept and the next call resumes it.
    MachineError says in one line what prevents it: no connection, not found, no room, no
    write permission, a web page in place of the file, other bytes than published.
    """
    place = cache.file_of(row)
    with _one_line(row):
        if not place.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            with _alone(row, place, progress):
                if not place.is_file():
                    _download(row, place, progress)
        else:
            cache.check(row, place)
    return place


def _download(row: Published, place: Path, progress: Progress) -> None:
    part = place.with_name(place.name + ".part")
    capped = _Capped(row, part, progress)
    if isinstance(row.source, Drive):
        _from_drive(row, row.source, part, capped)
    else:
        _from_url(row, row.source, part, capped)
    try:
        _refuse_page(row, part)
        digest = cache.check(row, part)
    except MachineError:
        _forget(part)  # these bytes are wrong: going on from them would never end
        raise
    cache.note(row, {"sha256": digest, "bytes": part.stat().st_size, "from": row.source.link})
    part.replace(place)
    _forget(part)


class _Capped:
    """Progress that stops at the size cap and when the disk has no room for the rest."""

    def __init__(self, row: Published, part: Path, progress: Progress) -> None:
        self._row, self._part, self._progress = row, part, progress
        self._asked = False

    def __call__(self, so_far: int, total: int | None) -> None:
        if max(so_far, total or 0) > MAX_BYTES:
            raise MachineError(
                f"{self._row.id} has {max(so_far, total or 0) / 2**30:.1f} GB; up to "
                f"{MAX_BYTES / 2**30:.0f} GB is fetched. It cannot be used here."
            )
        if total is not None and not self._asked:
            self._asked = True
            if shutil.disk_usage(self._part.parent).free < total - so_far:
                raise OSError(errno.ENOSPC, "No space left on device")
        self._progress(so_far, total)


def _from_url(row: Published, source: Url, part: Path, progress: Progress) -> None:
    """Fetch into ``part``, going on from what is there, as often as the connection breaks."""
    for attempt in range(1, ATTEMPTS + 1):
        had = _size(part)
        try:
            return _request(row, source, part, progress)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ):
            # A server that gives nothing more will not do so on the next attempt either.
            if attempt == ATTEMPTS or (_size(part) <= had and attempt > 1):
                raise
    return None


def _request(row: Published, source: Url, part: Path, progress: Progress) -> None:
    had, headers = _headers(part)
    with requests.get(source.url, headers=headers, stream=True, timeout=_TIMEOUT_S) as reply:
        if not _goes_on(reply, had):
            _forget(part)
            return _request(row, source, part, progress)
        reply.raise_for_status()
        if "text/html" in reply.headers.get("Content-Type", ""):
            raise _page(row)
        resumed = reply.status_code == requests.codes.partial_content
        so_far = had if resumed else 0
        _validator_file(part).write_text(_validator(reply), encoding="utf-8")
        length = reply.headers.get("Content-Length", "")
        total = so_far + int(length) if length.isdecimal() else None
        with part.open("ab" if resumed else "wb") as file:
            progress(so_far, total)
            for block in reply.iter_content(_BLOCK):
                file.write(block)
                so_far += len(block)
                progress(so_far, total)
    return None


def _headers(part: Path) -> tuple[int, dict[str, str]]:
    """Return how many bytes are here already, and the headers that ask for the rest."""
    headers = {"Accept-Encoding": "identity"}  # offsets are of the bytes on disk
    had, validator = _size(part), _validator_file(part)
    noted = validator.read_text(encoding="utf-8") if validator.is_file() else ""
    if not (had and noted):
        return 0, headers
    # If-Range: a file that changed on the server comes whole instead of as a wrong rest.
    return had, headers | {"Range": f"bytes={had}-", "If-Range": noted}


def _goes_on(reply: requests.Response, had: int) -> bool:
    """Tell whether the reply to a request for the rest can be used; it may be the whole, too."""
    if reply.status_code == requests.codes.partial_content:
        return reply.headers.get("Content-Range", "").startswith(f"bytes {had}-")
    return not (had and reply.status_code == requests.codes.requested_range_not_satisfiable)


def _from_drive(row: Published, source: Drive, part: Path, progress: Progress) -> None:
    import gdown  # imported late: only Google Drive needs it
    from gdown.exceptions import DownloadError

    try:
        gdown.download(
            id=source.file_id, output=str(part), quiet=True, use_cookies=False, resume=True,
            progress=progress, timeout=_TIMEOUT_S, retries=ATTEMPTS - 1,
        )  # fmt: skip
    except DownloadError as problem:
        if isinstance(problem.__cause__, requests.ConnectionError | requests.Timeout):
            raise problem.__cause__ from problem  # said as of every other entry
        raise MachineError(
            f"{row.id}: Google Drive does not give the file away just now ("
            f"{' '.join(str(problem).split())[:160]}). Try again tomorrow, or open "
            f"{source.link} in a browser and load the file as your own."
        ) from problem


def _validator(reply: requests.Response) -> str:
    tag = reply.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else reply.headers.get("Last-Modified", "")


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_file(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _refuse_page(row: Published, part: Path) -> None:
    with part.open("rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise _page(row)


def _page(row: Published) -> MachineError:
    return MachineError(
        f"{row.id}: a web page arrived in place of the file (its host asks something, or the daily "
        f"quota is used up). Open {row.source.link} in a browser, download it there and load it "
        "as your own."
    )


@contextmanager
def _alone(row: Published, place: Path, progress: Progress) -> Iterator[None]:
    """Hold the row's lock; it falls with the process, so a crash leaves nothing locked.

    Where another session downloads the same, its progress is shown and its file is used.
    """
    lock = FileLock(place.with_name(place.name + ".lock"))
    part, until = place.with_name(place.name + ".part"), time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            lock.acquire(timeout=_LOOK_EVERY_S)
            break
        except Timeout as problem:
            progress(_size(part), None)
            if time.monotonic() > until:
                raise MachineError(
                    f"{row.id} is being downloaded by another session on this machine, for more "
                    f"than {LONGEST_WAIT_S // 60} minutes; choose it again later."
                ) from problem
    try:
        yield
    finally:
        lock.release()


_LINES: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.SSLError, "its host could not be trusted; check this machine's clock"),
    (requests.Timeout, "its host does not answer; try again later"),
    (requests.ConnectionError, "there is no connection to its host; connect to the internet"),
    (requests.exceptions.ChunkedEncodingError, "the connection broke; download again to go on"),
)


@contextmanager
def _one_line(row: Published) -> Iterator[None]:
    """Say in one line what the network or the disk refuses."""
    try:
        yield
    except requests.HTTPError as problem:
        raise MachineError(
            f"{row.id}: its host answers {problem.response.status_code} "
            f"{problem.response.reason} for {row.source.link}; the file may have moved. Load your "
            "own copy if you have one."
        ) from problem
    except requests.RequestException as problem:
        line = next((line for kind, line in _LINES if isinstance(problem, kind)), None)
        reason = line or f"{type(problem).__name__}; try again later"
        raise MachineError(f"{row.id} could not be downloaded: {reason}.") from problem
    except OSError as problem:
        raise MachineError(
            f"{row.id} could not be kept in {cache.folder()} ({problem.strerror or problem}); "
            f"make room or set {cache.VARIABLE} to a folder that can be written."
        ) from problem
