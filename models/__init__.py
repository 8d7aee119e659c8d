"""Networks: non-local and compact generalized non-local blocks, their backbones, their weights."""
