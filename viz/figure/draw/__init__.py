"""A planned page drawn with matplotlib."""
