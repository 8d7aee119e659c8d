"""Which networks are shown first: the one place that names the bundled ones."""

PICTURE_NETWORKS, CLIP_NETWORKS = ("e2-nl", "e2-cgnl"), ("e2-clip-nl", "e2-clip-cgnl")
"""Shown at first for pictures, and for clips."""
