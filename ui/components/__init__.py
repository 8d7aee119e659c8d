"""What runs in the browser: picker, pin cards, key points."""
