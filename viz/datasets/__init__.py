"""Folders of pictures with what is known of them, gone through in batches that survive a kill."""
