"""What tests of panels with heat read of them."""

from viz.figure.panels import presets
from viz.rendering.look import Look

PLAIN = Look(threshold=0.0)


def rows_of(recipe, sources, frames=None):
    return presets.panel_rows(recipe, sources, frames).rows


def heads(row):
    return [panel.head if panel else None for panel in row.panels]


def scaled(values):
    low, high = values.min(), values.max()
    return (values - low) / (high - low)


def shaded(panel):
    """Return the scaled values that a panel shows."""
    shade = panel.content.shade
    return shade.heat.values[shade.moment]
