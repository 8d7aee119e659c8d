"""Inputs of the sidebar of Explore: which frames, which map, how it is shown."""
