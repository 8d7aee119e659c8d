"""Reading weight files: safely, fully or not at all."""
