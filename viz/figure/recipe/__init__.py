"""The recipe of a figure, and its JSON."""
