"""``python -m viz serve``: the app for several people, by one TOML file."""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from errors import InputError
from ui.server import settings


def add_serve(command: argparse.ArgumentParser) -> None:
    """Add the options of ``serve``."""
    command.add_argument(
        "--settings", type=Path, help="TOML file of settings; deploy/server.toml explains each"
    )
    command.add_argument("--address", help="address to listen at, in place of the file's")
    command.add_argument("--port", type=int, help="port to listen at, in place of the file's")
    command.add_argument(
        "--data", action="append", default=[], metavar="FOLDER",
        help="folder of pictures that visitors may measure (Evaluate); may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--check", action="store_true", help="check the settings, print them, and end"
    )


def serve(args: argparse.Namespace) -> list[str]:
    """Serve the app until it is stopped; return what to print."""
    found = settings.load(args.settings) if args.settings else settings.SHARED
    if args.address:
        found = replace(found, address=args.address)
    if args.port is not None:
        if not 1 <= args.port <= 65535:
            raise InputError(f"{args.port} is not a port; give a number from 1 to 65535.")
        found = replace(found, port=args.port)
    if args.data:
        found = replace(found, folders=settings.check_folders(args.data))
    from models import devices  # torch takes a while to import

    devices.found(found.device)
    if args.check:
        return [f"{name} = {value}" for name, value in vars(found).items()]
    settings.use(found)
    from ui.server import web  # Streamlit takes a while to import

    os.chdir(web.ROOT)  # where Streamlit's own settings and secrets are
    web.run()
    return []
