"""What visitors may hold of a server: connections, pages and their messages, uploads."""
