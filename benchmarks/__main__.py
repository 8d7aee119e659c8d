"""Print measurements: ``python -m benchmarks explore``; all suites, and docs/benchmarks.md, without
a name; a page of some suites with their names and ``--out FILE``."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import page

ROOT = Path(__file__).parent.parent
DOCUMENT, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"


def lines_of(suite: str) -> Iterator[str]:
    """Print the lines of a suite as they come, and yield them; print how long it took."""
    began = time.monotonic()
    for line in page.lines_of(suite):
        print(line, flush=True)
        yield line
    print(f"({suite}: {time.monotonic() - began:.0f} s)", flush=True)


def main() -> None:
    """Run one suite, or every one and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(page.SUITES))
    parser.add_argument("--out", type=Path, help="the page; docs/benchmarks.md for all suites")
    args = parser.parse_args()
    if unknown := [name for name in args.suites if name not in page.SUITES]:
        parser.error(f"{', '.join(unknown)}: no suite; there are {', '.join(page.SUITES)}")
    found = {suite: list(lines_of(suite)) for suite in args.suites or page.SUITES}
    if out := args.out or (None if args.suites else DOCUMENT):
        out.write_text(page.written(found), encoding="utf-8")
        print(f"wrote {out}")
        if out == DOCUMENT:
            readme = README.read_text(encoding="utf-8")
            README.write_text(page.quoted(readme, found), encoding="utf-8")
            print(f"quoted it in {README}")
    if page.failures(found):
        raise SystemExit(1)


main()
