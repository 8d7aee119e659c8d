"""One server under many sessions."""
