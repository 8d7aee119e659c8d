"""Figures of the bundled networks."""
