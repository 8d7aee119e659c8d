"""The command line: ``python -m viz``."""
