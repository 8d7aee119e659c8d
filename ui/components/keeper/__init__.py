"""What the browser keeps for the next session."""
