"""From the pins and the settings to the recipe of the figure, and the example to start with."""

from ui import state
from ui.figure.settings import Chosen
from ui.figure.sources import SessionSources
from ui.session import loaders
from ui.session import pins as session_pins
from ui.session.defaults import PICTURE_NETWORKS
from ui.session.naming import medium_of
from ui.session.pins import Pin
from viz.attention import queries
from viz.examples import bird
from viz.figure.panels import needs
from viz.figure.panels.presets import TABLE
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Network, Recipe, Reference, View


def shown(pins: tuple[Pin, ...], preset: str) -> tuple[Pin, ...]:
    """Return the pins that a preset can show: with a patch where it needs one, gates without, two
    pictures where it compares them.

    All, where none would be left: the drawing then says what is missing.
    """
    needs = TABLE[preset].needs
    if needs == "block":
        return pins
    if needs == "pair":
        kept = tuple(pin for pin in pins if pin.second is not None)
    else:
        kept = tuple(pin for pin in pins if (pin.reference.at is None) == (needs == "gates"))
    return kept or pins


def lacking(pins: tuple[Pin, ...], preset: str, found: SessionSources) -> str:
    """Return what a preset needs that none of these pins has, in words; "" where it can be drawn,
    as far as is known without drawing it."""
    need = needs.unmet(preset, [pin.reference for pin in shown(pins, preset)], found)
    return need.words if need else ""


def left_out(pins: tuple[Pin, ...], preset: str) -> list[str]:
    """Return what a preset does not show of the pins, a sentence each."""
    kept, found = shown(pins, preset), []
    gone = [str(k) for k, pin in enumerate(pins, 1) if pin not in kept]
    if gone:
        found.append(f"Not in this preset: pin {', '.join(gone)}, which it cannot show.")
    half = [str(k) for k, pin in enumerate(pins, 1) if pin in kept and pin.second is not None]
    if half and TABLE[preset].first_only:
        found.append(f"This preset shows the first of the two pictures of pin {', '.join(half)}.")
    return found


def made(pins: tuple[Pin, ...], chosen: Chosen) -> Recipe:
    """Return the recipe; InputError where a value is outside what a recipe may hold."""
    references = tuple(pin.reference for pin in pins)
    return recipe_json.checked(
        Recipe(chosen.preset, references, chosen.look, chosen.layout, recipe.here(references))
    )


def example_reference() -> Reference:
    """Return the example bird, pinned at its head, as the two bundled networks see it."""
    views = []
    for name in PICTURE_NETWORKS:
        model = loaders.network(name)
        block, size = queries.block_labels(model.spec)[-1], model.spec.preprocessing.size
        views.append(View(Network(name, model.sha256), block, mode="fit", size=size))
    at = tuple(float(side) for side in bird.HEAD)
    return Reference(medium_of(bird.clip()), tuple(views), at)


def chosen_pin() -> Pin | None:
    """Return the pin whose details are shown: the one last chosen, else the first."""
    pins = session_pins.pins()
    wanted = state.FIGURE_PIN.get()
    return next((pin for pin in pins if pin.id == wanted), pins[0] if pins else None)


def choose_pin(id: str) -> None:
    """Show the details of a pin from now on."""
    state.FIGURE_PIN.set(id)
