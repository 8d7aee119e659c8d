"""From a map to colours: scale, enlarge, cut, colour; movie files."""
