"""The picker: one components-v2 canvas; the browser draws the heat as the pointer moves."""

from collections.abc import Callable

from ui.components.mount import event, mounted


def picker(
    blob: bytes,
    key: str,
    on_pick: Callable[[], None],
    on_focus: Callable[[], None],
    on_threshold: Callable[[], None],
) -> None:
    """Show the canvas; the callbacks run before the rerun, see ``picked``, ``focused``, ``cut``.

    ``key`` must hold the picture's hash, so that nothing of another picture stays behind.
    """
    show = mounted("picker", "picker")
    show(
        key=key,
        data=blob,
        on_pick_change=on_pick,
        on_focus_change=on_focus,
        on_threshold_change=on_threshold,
    )


def picked(key: str) -> tuple[int, int, int] | None:
    """Return (frame, row, column) that was just clicked, frame 0 on a still picture; None when it
    is not three whole numbers."""
    value = event(key, "pick")
    if not isinstance(value, dict):
        return None
    place = (value.get("frame", 0), value.get("row"), value.get("col"))
    return place if all(type(number) is int for number in place) else None


def picked_object(key: str) -> int | None:
    """Return the number of the object that was just clicked; None where it was a patch."""
    value = event(key, "pick")
    number = value.get("object") if isinstance(value, dict) else None
    return number if type(number) is int else None


def focused(key: str) -> str | None:
    """Return the name of the CGNL map that was just chosen."""
    value = event(key, "focus")
    return value if isinstance(value, str) else None


def cut(key: str) -> float | None:
    """Return the threshold that was just dragged to, in [0, 1]; None for anything else."""
    value = event(key, "threshold")
    number = type(value) in (int, float) and 0 <= value <= 1
    return float(value) if number else None
