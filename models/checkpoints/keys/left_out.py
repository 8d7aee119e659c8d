"""What is beside trunk and blocks in a checkpoint, and may be left out: maps do not need it.

Only what stands beside the network's stages is looked at here; a key inside of one that is not
known is a layer that would be missed, and refuses the file.
"""

import fnmatch
import re

from torch import Tensor

from models.checkpoints.families.facts import Facts
from models.report import Fact

IGNORE = "ignore"
"""The name of the answer that lists patterns of keys to leave out, with commas."""

_HEAD = "another head than the family's; maps need none"
_RULES: tuple[tuple[re.Pattern, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"(?:.*\.)?_extra_state", "state that a layer keeps for itself"),
        (r"(?:.*\.)?num_batches_tracked", "a counter that training keeps"),
        (r"(?:aux|auxiliary)\w*\..*", "an auxiliary head of training"),
        (
            r"(?:(?:new_|last_|cls_)?(?:fc|head|heads|linear|logits|classifier|classifiers)"
            r"|(?:fc|cls|head|classifier|linear|proj|projection|projector|predictor|embedding)\w*"
            r"|neck|arcface|margin|prototypes|output)(?:\..*)?",
            _HEAD,
        ),
        (
            r"(?:criterion|loss|ce|bce|\w+_loss|loss_\w+|\w+_criterion|\w*centers?)(?:\..*)?",
            "a loss",
        ),
        (r"(?:\w*(?:acc|accuracy|metric|metrics|meter|f1|auroc))\d*(?:\..*)?", "a measure"),
        (r"(?:ema|model_ema|ema_\w+|n_averaged|num_updates|decay)(?:\..*)?", "a running average"),
        (r"(?:queue\w*|momentum\w*|memory_bank\w*)(?:\..*)?", "a memory of training"),
        (
            r"(?:data_preprocessor|normalize|normalise|normalizer|preprocess)\..*"
            r"|(?:pixel_)?(?:mean|std)",
            "how its code prepares pictures",
        ),
    )
)  # fmt: skip


class LeftOut:
    """Tells why a key is left out: by the rules above, or by patterns that the user gave."""

    def __init__(self, facts: Facts) -> None:
        text = str(facts.answers.get(IGNORE, ""))
        self._patterns = [part.strip() for part in text.split(",") if part.strip()]
        self._fact = Fact(IGNORE, text, "your answer", ()) if self._patterns else None

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The answer that was used, if there was one."""
        return () if self._fact is None else (self._fact,)

    def reason(self, written: str, beside: str, value: Tensor) -> str | None:
        """Return why a key is left out, None where it may not be.

        ``written`` is the key in the file, ``beside`` what is left of it behind the prefix that it
        shares with the network. A head with kernels larger than one cell is that of a detector or a
        segmenter, whose trunk steps through the picture in another way: it is not left out.
        """
        if any(fnmatch.fnmatchcase(written, pattern) for pattern in self._patterns):
            return "left out because you said so"
        why = next((why for rule, why in _RULES if rule.fullmatch(beside)), None)
        sees_around = value.ndim >= 4 and max(value.shape[2:]) > 1
        return None if why == _HEAD and sees_around else why
