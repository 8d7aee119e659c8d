"""A drawing as the bytes of a file, and the recipe inside it."""
