"""What a network takes a picture for: its most probable classes, or why there are none."""

from viz.attention.captures import Capture

Prediction = tuple[int, float]
"""A class by number, and its softmax share."""

NO_CLASSIFIER = "no prediction: its file holds no classifier"
NOT_FINITE = "no prediction: its output is not a number"


def top_classes(capture: Capture, count: int = 5) -> list[Prediction]:
    """Return the ``count`` most probable classes; none without a classifier, or where an output is
    nan or infinite."""
    logits = capture.logits
    if not len(logits) or not bool(logits.isfinite().all()):
        return []
    shares, indices = logits.softmax(0).topk(min(count, len(logits)))
    return list(zip(indices.tolist(), shares.tolist(), strict=True))


def prediction_words(capture: Capture) -> str:
    """Return the predicted class with its share, "Scarlet Tanager 0.98", or why there is none."""
    found = top_classes(capture, 1)
    if not found:
        return NOT_FINITE if len(capture.logits) else NO_CLASSIFIER
    ((index, share),) = found
    return f"{capture.model.class_name(index)} {share:.2f}"
