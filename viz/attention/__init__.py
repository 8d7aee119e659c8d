"""From a network and a clip to attention maps."""
