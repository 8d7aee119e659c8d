"""Self-attention of any network: heads over tokens that are cells, or have none."""
