"""What can be loaded: bundled and published networks, downloads and their cache."""
