"""Families of published checkpoints: how each is known, and what its keys mean."""
