"""Maps and a figure from Python: what a notebook's cells would hold.

    python -m examples.figure_in_python OUT [PICTURE X,Y]

Without a picture the drawn example bird is used. OUT is a folder; it gets figure.pdf,
figure.png and recipe.json.
"""

import sys
from pathlib import Path

import viz
from viz.examples import bird


def main(out: Path, picture: str, at: tuple[float, float]) -> None:
    """Print what the patch under pixel ``at`` attends to, and write the figure of it."""
    # One forward pass a network; after it every reference is read from what was kept.
    source = bird.clip() if picture == "example:bird" else picture
    nl = viz.capture(viz.load("e2-nl"), source)
    cgnl = viz.capture(viz.load("e2-cgnl"), source)

    row = viz.row(nl, at)
    print(f"NL row {row.values.shape}: {row.values.min():.3g} to {row.values.max():.3g}")
    for channel in viz.maps(cgnl, at):
        print(f"CGNL {channel.label}: highest {channel.values.max():.3g}")

    figure = viz.figure.parts(picture, ["e2-nl", "e2-cgnl"], at, width="cvpr-text", captions="(a)")
    out.mkdir(parents=True, exist_ok=True)
    for name in ("figure.pdf", "figure.png", "recipe.json"):
        print(f"wrote {figure.save(out / name)}")

    # Years later: the same bytes from the figure alone.
    again = viz.figure.load(out / "figure.pdf").content("pdf")
    print(f"drawn again: {'equal' if again == (out / 'figure.pdf').read_bytes() else 'different'}")


if __name__ == "__main__":
    folder, *given = sys.argv[1:] or ["out"]
    name, place = given if given else ("example:bird", "{:g},{:g}".format(*bird.HEAD))
    x, y = (float(number) for number in place.split(","))
    main(Path(folder), name, (x, y))
