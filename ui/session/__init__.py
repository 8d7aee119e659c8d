"""What a session holds and shares: medium, networks, reference patch, pins."""
