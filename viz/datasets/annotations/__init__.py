"""Annotations of data sets: the bytes of their files -> what they add to pictures, by name."""
