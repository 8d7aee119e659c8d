"""Comparison with outputs of the original implementations."""
