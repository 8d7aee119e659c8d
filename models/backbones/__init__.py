"""Backbone networks that carry attention blocks."""
