"""Families of published detectors, in the order in which they are tried."""

from models.checkpoints.families.detectors.maskrcnn_benchmark import BENCHMARK
from models.checkpoints.families.detectors.mmdetection import MMDETECTION
from models.checkpoints.families.detectors.torchvision import TORCHVISION

DETECTOR_FAMILIES = (*TORCHVISION, BENCHMARK, MMDETECTION)
