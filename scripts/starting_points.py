"""Print what attends in the networks that are good to begin with, found with random weights.

python -m scripts.starting_points > models/zoo/wrapped/libraries/starting_points.json
"""

import json
import sys

from models.zoo.wrapped.libraries import registry
from models.zoo.wrapped.libraries.names import parse
from models.zoo.wrapped.words import summary


def attends(name: str) -> dict[str, str]:
    """Return what attends in a network of a library, in few words."""
    return summary(registry.load(f"{name}?pretrained=no").spec.layers)


def main() -> None:
    """Print all but those of the hub, whose sizes are not on this machine."""
    names = [name for name in registry.STARTING_POINTS if parse(name).library != "hf"]
    found = {}
    for name in names:
        sys.stderr.write(f"{name}\n")
        found[name] = attends(name)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
