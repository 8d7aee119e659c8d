"""Print measurements: ``python -m benchmarks explore``; all suites, and docs/benchmarks.md, without
a name."""

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
    parser.add_argument("suite", nargs="?", choices=page.SUITES)
    parser.add_argument("--out", type=Path, default=DOCUMENT, help="the page of all suites")
    args = parser.parse_args()
    suites = [args.suite] if args.suite else list(page.SUITES)
    found = {suite: list(lines_of(suite)) for suite in suites}
    if not args.suite:
        args.out.write_text(page.written(found), encoding="utf-8")
        print(f"wrote {args.out}")
        if args.out == DOCUMENT:
            readme = README.read_text(encoding="utf-8")
            README.write_text(page.quoted(readme, found), encoding="utf-8")
            print(f"quoted it in {README}")
    if page.failures(found):
        raise SystemExit(1)


main()
