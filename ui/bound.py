"""Widgets that the address bar keeps."""

from functools import partial

bound = partial(dict, bind="query-params")
"""Keyword arguments of a widget whose value stands in the address bar under its key."""
