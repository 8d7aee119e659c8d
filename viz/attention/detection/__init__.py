"""What a detector found: its objects, the rows of their patches, and what its heads saw of each."""
