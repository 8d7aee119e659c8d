"""What a network takes a picture for: its most probable classes, what a detector found best, or why
there is nothing."""

from torch import Tensor

from models.specs.network import NetworkSpec
from viz.attention.captures import Capture

Prediction = tuple[int, float]
"""A class by number, and its softmax share; of actions of people the sigmoid."""

NO_CLASSIFIER = "no prediction: its file holds no classifier"
NOTHING_FOUND = "nothing found"
WHOLE = ", the whole picture as one person"
NOT_FINITE = "no prediction: its output is not a number"


def top_classes(capture: Capture, count: int = 5) -> list[Prediction]:
    """Return the ``count`` most probable classes; none without a classifier, or where an output is
    nan or infinite. Of a detector the labels with the best scores, each with its score."""
    logits = capture.logits
    if capture.detections:
        return _best_labels(capture, count)
    if not len(logits) or not bool(logits.isfinite().all()):
        return []
    own = shares(logits, capture.model and capture.model.spec)
    best, indices = own.topk(min(count, len(logits)))
    return list(zip(indices.tolist(), best.tolist(), strict=True))


def shares(logits: Tensor, spec: NetworkSpec | None) -> Tensor:
    """Return the probabilities of logits (..., classes): softmax, or of actions of people, each a
    yes or no of its own, the sigmoid."""
    return logits.sigmoid() if getattr(spec, "head", "") == "people" else logits.softmax(-1)


def many_at_once(capture: Capture) -> bool:
    """Tell whether each class is a yes or no of its own, as the actions of people are."""
    return capture.model is not None and getattr(capture.model.spec, "head", "mean") == "people"


def _best_labels(capture: Capture, count: int) -> list[Prediction]:
    best: dict[int, float] = {}
    for one in capture.detections:
        for label, score in zip(one.labels.tolist(), one.scores.tolist(), strict=True):
            best[label] = max(score, best.get(label, 0.0))
    return sorted(best.items(), key=lambda pair: -pair[1])[:count]


def prediction_words(capture: Capture) -> str:
    """Return the predicted class with its share, "Scarlet Tanager 0.98", or why there is none."""
    found = top_classes(capture, 1)
    if not found and capture.detections:
        return NOTHING_FOUND
    if not found:
        return NOT_FINITE if len(capture.logits) else NO_CLASSIFIER
    ((index, share),) = found
    where = WHOLE if many_at_once(capture) else ""
    return f"{capture.model.class_name(index)} {share:.2f}{where}"
