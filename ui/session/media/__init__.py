"""What was given to look at: uploads as they arrive, the medium in use, a second picture."""
