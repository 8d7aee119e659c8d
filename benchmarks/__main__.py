"""Print measurements: ``python -m benchmarks explore``."""

import argparse
import importlib
import importlib.util

SUITES = {
    "explore": ("benchmarks.explore", "benchmarks.compute"),
    "costs": ("benchmarks.costs",),
    "clips": ("benchmarks.clips", "benchmarks.clips_browser"),
    "attention": ("benchmarks.attention",),
    "figures": ("benchmarks.figures", "benchmarks.figures_browser"),
}


def main() -> None:
    """Run one suite and print its lines as they come."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    for module in SUITES[parser.parse_args().suite]:
        if importlib.util.find_spec(module) is None:
            print(f"{module}: not there")
            continue
        for line in importlib.import_module(module).report():
            print(line, flush=True)


main()
