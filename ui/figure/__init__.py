"""The Figure page."""
