"""What a network takes a picture for: its most probable classes, what a detector found best, or why
there is nothing.

The answer of a network of pictures is that of a forward pass at the size of its training, at which
its accuracy was measured: at a larger one maps are finer, and answers lose their certainty. Pages,
the command line and the ranking of classes by probability take it from there.
"""

from dataclasses import replace

from torch import Tensor

from models.specs.network import NetworkSpec
from viz.attention.captures import Capture
from viz.attention.choice import Selection
from viz.attention.kinds.kind import MapKind

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


def answer_size(capture: Capture, size: int | None) -> int | None:
    """Return the input side in pixels at which the network answers, where its maps are made at a
    larger ``size``; None where the answer is that of the maps' own forward pass, and for what
    classifies nothing, or no pictures."""
    if capture.detections or not len(capture.logits):
        return None
    prep = capture.model.spec.preprocessing
    return prep.size if prep.frames == 1 and size is not None and size > prep.size else None


def size_words(answering: Capture, size: int | None) -> str:
    """Return at which size an answer was taken, where that is not the training's or not the
    ``size`` of the maps; to be put behind ``prediction_words``."""
    if answering.detections or not top_classes(answering, 1):
        return ""
    own = answering.model.spec.preprocessing.size
    if answer_size(answering, size) is not None:
        return f" at {own} px · maps at {size} px"
    return f" · at {size} px, trained at {own}" if size not in (None, own) else ""


def answered_by(kind: MapKind, wanted: Selection) -> bool:
    """Tell whether a selection ranks the maps of a kind by the network's answer."""
    ranking = wanted.ranking or next(iter(kind.rankings), "")
    return not (wanted.listed or wanted.divisions) and ranking in kind.answer_rankings


def by_answer(kind: MapKind, wanted: Selection, answering: Capture) -> Selection:
    """Return a selection with the classes of a network's answer by number, where it ranks by them;
    else as it is.

    A rank is of the forward pass that makes the maps, and recipes keep that meaning: what shows an
    answer of another pass beside its maps asks for them by number.
    """
    if not answered_by(kind, wanted):
        return wanted
    best = tuple(index for index, _share in top_classes(answering, wanted.count))
    return replace(wanted, ranking="", listed=best) if best else wanted


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
