"""The map kinds, one module each; `registry.py` is the table of them."""
