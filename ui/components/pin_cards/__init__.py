"""Pins as cards that are dragged into order."""
