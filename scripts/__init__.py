"""Command-line scripts: parse, call, print."""
