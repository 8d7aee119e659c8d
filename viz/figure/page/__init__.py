"""Where panels, words and colour bars stand on the page, in mm."""
