"""Which data set is gone through, and how: its folder, uploads, progress and stop."""
