"""One server for many people: its settings, limits, queue, health and metrics."""
