"""Which keys of a state dict are the network's: prefixes, what is left out, blocks of one's own."""
