"""The parts of the Strongest patches page."""
