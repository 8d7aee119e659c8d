"""The papers' cost tables beside ours, as ``python -m viz cost`` prints them."""

from viz.evaluation.costs.counting import report

__all__ = ["report"]
