"""Reproducible measurements: `python -m benchmarks explore`."""
