"""Networks of other libraries by name: timm:NAME, torchvision:NAME, hf:ORG/NAME."""
