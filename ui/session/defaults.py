"""Which networks are shown first: the one place that names the bundled ones."""

PICTURE_NETWORKS, CLIP_NETWORKS = ("r50n-nl", "r50n-cgnl"), ("c2dn-nl", "c2dn-cgnl")
"""Shown at first for pictures, and for clips."""
