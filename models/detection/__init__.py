"""Detectors: boxes, masks and key points on this project's trunks, with torchvision's parts."""
