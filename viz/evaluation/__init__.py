"""Attention maps as numbers: measures by name, their uncertainty, tables and plots."""
