"""JSON from files that may be anything: refused in one line, numbers that are none too."""

import json

from errors import InputError


def parsed(text: str | bytes, name: str, wanted: str) -> object:
    """Return what a JSON text holds; InputError names the file, and says what is ``wanted``.

    NaN and Infinity, which Python's reader takes, are refused.
    """

    def refuse(word: str) -> float:
        raise InputError(f"{name} holds {word}, which is not a number; give finite numbers.")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as problem:
        what = "nested too deeply" if isinstance(problem, RecursionError) else problem
        raise InputError(f"{name} is not JSON ({what}); give {wanted}.") from problem
