"""Serve the app, adding one byte to a file with every forward pass of a whole network.

python -m benchmarks.server.counting_server COUNT_FILE PORT
"""

import sys
from pathlib import Path

from streamlit.web import cli

from models.backbones.resnet import AttentionResNet

ROOT = Path(__file__).parents[2]


def main(count_file: Path, port: str) -> None:
    """Count, then serve until stopped."""
    whole = AttentionResNet.forward

    def forward(self, x):  # noqa: ANN001, ANN202 (the shape of nn.Module.forward)
        with count_file.open("ab") as counter:
            counter.write(b".")
        return whole(self, x)

    AttentionResNet.forward = forward
    options = [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
    cli.main(["run", str(ROOT / "app.py"), *options], prog_name="streamlit")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
