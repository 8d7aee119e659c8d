"""``python -m viz``."""

import sys


def run() -> int:
    """Run a command; an interrupt while modules are still being imported is one line, too."""
    try:
        from viz.cli.main import main

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
