"""Suites that drive a real browser."""
