"""Contact sheets: what the bundled networks attend to, to be looked at.

    python -m scripts.evaluation.gallery --out docs/gallery
    python -m scripts.evaluation.gallery --out DIR --media LIST

Without --media the sheets are of the project's own drawings. A LIST has a line for each reference:
path, x and y in pixels, and for clips the frame, with tabs between them.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import viz
from viz.examples import bird, kick

PICTURES, CLIPS = ("e2-nl", "e2-cgnl"), ("e2-clip-nl", "e2-clip-cgnl")
BIRDS = ("e2-birds-nl", "e2-birds-cgnl")
ROWS = 6
LOOK = {"threshold": 0.6, "colormap": "inferno", "width_mm": 170.0, "dpi": 110}
KICK_FRAME, KICK_NUMBER = 3, 13


@dataclass(frozen=True)
class Line:
    """One reference: a medium, a pixel of it, and the frame for clips."""

    medium: str
    at: tuple[float, float]
    frame: int | None = None


OWN = (
    *(Line("example:bird", at) for at in (bird.LEAF, bird.TWIG, bird.HEAD, bird.WING)),
    Line("example:kick", kick.foot_at(KICK_NUMBER), KICK_FRAME),
)


def read(path: Path) -> list[Line]:
    """Return the references of a list."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    return [
        Line(row[0], (float(row[1]), float(row[2])), int(row[3]) if len(row) > 3 else None)
        for row in rows
    ]


def photo_sheet(lines: Sequence[Line], networks: Sequence[str], path: Path) -> None:
    """Write pictures, one a row: reference, then each network's strongest map."""
    viz.figure.heatmaps(
        [line.medium for line in lines],
        list(networks),
        [line.at for line in lines],
        size=448,
        **LOOK,
    ).save(path)
    print(path, flush=True)


def clip_sheet(line: Line, path: Path) -> None:
    """Write one clip: its frames in columns, a row a network."""
    viz.figure.frames(line.medium, list(CLIPS), line.at, frame=line.frame, **LOOK).save(path)
    print(path, flush=True)


def main() -> None:
    """Write the sheets of the project's own media, or of a list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--media", type=Path, help="tab-separated list of references")
    args = parser.parse_args()
    lines = read(args.media) if args.media else list(OWN)
    args.out.mkdir(parents=True, exist_ok=True)
    photos = [line for line in lines if line.frame is None]
    for at in range(0, len(photos), ROWS):
        few, number = photos[at : at + ROWS], 1 + at // ROWS
        photo_sheet(few, PICTURES, args.out / f"photos-{number}.png")
        photo_sheet(few, BIRDS, args.out / f"birds-{number}.png")
    for number, line in enumerate((line for line in lines if line.frame is not None), 1):
        clip_sheet(line, args.out / f"clip-{number}.png")


if __name__ == "__main__":
    main()
