"""What a network answers when pixels, or its blocks, are taken away, and what it finds."""
