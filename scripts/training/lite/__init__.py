"""How the networks on EfficientNet-Lite trunks are made."""
