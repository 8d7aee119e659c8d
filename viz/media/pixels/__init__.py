"""Pixels of files as 8-bit sRGB: deep values, colour profiles, high dynamic range."""
