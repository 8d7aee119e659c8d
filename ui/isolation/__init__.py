"""Bytes that may be hostile are read in child processes: without torch, kept warm, with limits on
memory and time, nothing of the server's environment, and results that are numbers and text."""
