"""Families of published checkpoints: how each is recognised, and what its keys mean."""
