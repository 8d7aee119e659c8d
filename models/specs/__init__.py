"""What a network is, as values: blocks, gates, trunks, places; and as JSON."""
