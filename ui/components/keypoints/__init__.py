"""Key points that are clicked on a picture."""
