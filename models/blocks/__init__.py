"""Attention blocks and gates: NL, CGNL, CGD and the papers' baselines, with their arithmetic."""
