"""Data sets that come as a zip: the pictures and annotations in it, within bounds."""

import io
import zipfile

from errors import MediaError
from viz.media import frame_sets, limits

MOST_FILES, MOST_BYTES, MOST_ANNOTATION_BYTES = 5000, 384 * 2**20, 16 * 2**20
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""Of the files that are pictures of a data set."""
TEXTS = (".csv", ".json", ".txt")
"""Endings of annotations: CSV, JSON, CUB's text files."""


def is_wanted(name: str) -> bool:
    """Tell whether a file is a picture or annotations, by its name."""
    return frame_sets.is_wanted(name) and name.lower().endswith((*ENDINGS, *TEXTS))


def unpack(content: bytes, name: str) -> list[tuple[str, bytes]]:
    """Return (path, bytes) of every picture and annotation file in a zip.

    Other files are left out. MediaError for a damaged or encrypted zip, an entry that leads out of
    it, and for more than 5,000 files or 384 MB.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as problem:  # zipfile raises almost anything on damaged archives
        raise MediaError(
            f"{name} is no zip that can be read ({type(problem).__name__}); pack it again."
        ) from problem
    entries = archive.infolist()
    if len(entries) > frame_sets.MAX_ENTRIES:
        raise frame_sets.crowded(name)
    for entry in entries:
        frame_sets.check_entry(entry, name)
    wanted = [e for e in entries if not e.is_dir() and is_wanted(e.filename)]
    check_bounds([(e.filename, e.file_size) for e in wanted], name)
    return [
        (entry.filename.replace("\\", "/"),
         frame_sets.unpacked(archive, entry, entry.file_size, name))
        for entry in wanted
    ]  # fmt: skip


def check_bounds(files: list[tuple[str, int]], name: str) -> None:
    """Refuse (path, bytes) of more or larger files than a data set may have."""
    total = sum(size for _path, size in files)
    if len(files) > MOST_FILES or total > MOST_BYTES:
        raise MediaError(
            f"{name} holds {len(files):,} files of {total / 2**20:,.0f} MB together; up to "
            f"{MOST_FILES:,} files and {MOST_BYTES // 2**20} MB are taken. Take fewer, or have the "
            "folder served (docs/server.md)."
        )
    texts = [(size, path) for path, size in files if path.lower().endswith(TEXTS)]
    if sum(size for size, _path in texts) > MOST_ANNOTATION_BYTES:
        size, path = max(texts)
        raise MediaError(
            f"{limits.safe_name(path)} has {size / 2**20:.0f} MB; annotations of up to "
            f"{MOST_ANNOTATION_BYTES // 2**20} MB together are taken."
        )
