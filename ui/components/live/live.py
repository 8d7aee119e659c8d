"""Sliders that act while they are dragged: what stands around this component is drawn again."""

from collections.abc import Callable, Sequence

from ui.components.mount import event, mounted


def live(names: Sequence[str], key: str, turn: int, on_move: Callable[[], None]) -> None:
    """Report the sliders of these keys while they are dragged; inside a fragment only that runs.

    ``turn`` is another number in every run: by it the browser knows that its value was taken.
    """
    data = {"names": list(names), "turn": turn}
    mounted("live", "live")(key=key, data=data, on_moved_change=on_move)


def moved(key: str, names: Sequence[str]) -> tuple[str, float] | None:
    """Return the key and the value of the slider that was just moved; None for anything else."""
    value = event(key, "moved")
    if not isinstance(value, dict) or value.get("name") not in names:
        return None
    number = value.get("value")
    return (value["name"], float(number)) if type(number) in (int, float) else None
