"""Sliders that act while they are dragged, where the server draws."""
