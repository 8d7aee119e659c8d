"""What goes to browsers, and when: the files of pages, small answers, the order of a page."""
