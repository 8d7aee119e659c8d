"""Pages of numbers: Gates, Evaluate, Cost, Strongest patches."""
