"""The picker: maps that follow the pointer."""
