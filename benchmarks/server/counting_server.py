"""Serve the app, adding one byte to a file with every forward pass of a whole network.

python -m benchmarks.server.counting_server COUNT_FILE PORT
"""

import sys
from pathlib import Path

from streamlit.web import cli

from viz.attention import pipeline

ROOT = Path(__file__).parents[2]


def main(count_file: Path, port: str) -> None:
    """Count, then serve until stopped."""
    whole = pipeline.run

    def run(*given):  # noqa: ANN002, ANN202 (as the one forward pass takes and returns them)
        with count_file.open("ab") as counter:
            counter.write(b".")
        return whole(*given)

    pipeline.run = run
    options = [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
    cli.main(["run", str(ROOT / "app.py"), *options], prog_name="streamlit")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
