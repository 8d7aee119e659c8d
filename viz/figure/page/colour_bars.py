"""What stands beside and under the panels: colour bars, what they mean, the legend of parts."""

from collections.abc import Sequence

from viz.figure.page import typesetting
from viz.figure.page.grid import Grid
from viz.figure.page.plan import SMALL, Bar, Page, Place
from viz.figure.panels.panel_rows import PanelRows
from viz.geometry import Box
from viz.rendering.look import Look

BAR_MM = 2.0


def ends(low: float | None, high: float | None) -> tuple[str, str]:
    """Return what stands at the ends of a colour bar."""
    if low is None or high is None:
        return "lowest", "highest"
    return f"{low:.3g}", f"{high:.3g}"


def cut_text(low: float | None, high: float | None, threshold: float) -> str:
    """Return what stands at the threshold of a colour bar, in the unit of its ends: a value, or a
    share of the way from lowest to highest."""
    if low is None or high is None:
        return f"{100 * threshold:.3g} %"
    return f"{low + threshold * (high - low):.3g}"


def _shared(page: Page) -> bool:
    """Tell whether one bar is for all; columns of a transposed figure share one, too."""
    layout = page.layout
    return layout.bar == "shared" or (layout.bar == "row" and layout.transpose)


def row_bar(page: Page, grid: Grid, line: int, beside: Box) -> None:
    """Place the bar of a row to the right of ``beside``."""
    x, inset = beside.left + page.pad, 0.08 * (beside.bottom - beside.top)
    box = Box(x, beside.top + inset, x + BAR_MM, beside.bottom - inset)
    page.bars.append(Bar(box, True, *grid.scales[line]))


def panel_bars(page: Page, places: Sequence[Place]) -> None:
    """Place a bar under every map of a line of panels that are maps of their own."""
    if page.layout.bar != "map":
        return
    one_map = [row.one_map and not page.layout.transpose for row in page.panel_rows.rows]
    own = [p for p in places if p.panel.has_heat and not one_map[p.row]]
    if not own:
        return
    page.y += page.pad
    for place in own:
        # Numbers at the ends of neighbours must not touch.
        inset = 0.05 * (place.box.right - place.box.left)
        box = Box(place.box.left + inset, page.y, place.box.right - inset, page.y + BAR_MM)
        page.bars.append(Bar(box, False, *place.panel.span))
    page.y += BAR_MM + page.pad + typesetting.line_mm(SMALL * page.layout.font_pt)


def shared_bar(page: Page, left: float, right: float) -> None:
    """Place one bar under all panels, and beside it what the colours mean."""
    if page.layout.bar == "none" or not page.panel_rows.has_heat:
        return
    page.y += 3 * page.pad
    if not _shared(page):
        page.y += _say(page, True, left, right) + page.pad
        return
    spans = {(row.low, row.high) for row in page.panel_rows.rows if row.has_heat}
    low, high = spans.pop() if len(spans) == 1 else (None, None)
    room = page.layout.width_mm - left - right
    wide = min(45.0, 0.45 * room)
    box = Box(left, page.y, left + wide, page.y + BAR_MM)
    page.bars.append(Bar(box, False, low, high))
    ticks = BAR_MM + page.pad + typesetting.line_mm(SMALL * page.layout.font_pt)
    words = _say(page, low is not None, left + wide + 4 * page.pad, right)
    page.y += max(ticks, words) + 0.5 * page.pad


def _say(page: Page, numbers: bool, left: float, right: float) -> float:
    """Write what the colours mean between two margins; return how high that is."""
    small, font = SMALL * page.layout.font_pt, page.font
    text = typesetting.plain(scale_words(page.panel_rows, numbers), font)
    lines = typesetting.broken(text, page.layout.width_mm - right - left, font, small)
    step = typesetting.line_mm(small)
    for k, line in enumerate(lines):
        page.small(line, left, page.y + k * step, small)
    return len(lines) * step


_DISPLAYS = {
    "linear": "",
    "log": ", logarithmic where no value is negative",
    "without-reference": ", without the reference's own cell",
    "auto": ", without the reference's own cell where it is more than twice as high as all others",
}


def cut_words(look: Look) -> str:
    """Return in words what of a map is shown; "" for all of it."""
    if look.cut == "area":
        return f"; shown is the top {look.share:.0%} of the cells"
    if look.cut == "mass":
        return f"; shown are the fewest cells that hold {look.share:.0%} of the sum"
    return f"; shown from {100 * look.threshold:.3g} % up" if look.threshold > 0 else ""


def scale_words(panel_rows: PanelRows, numbers: bool) -> str:
    """Return in words what the colours stand for."""
    if panel_rows.scaled:
        return panel_rows.scaled
    look, scale = panel_rows.look, panel_rows.layout.scale
    whole = {
        "map": "each map", "row": "the maps of a network in a row",
        "figure": "the maps of a network in the figure",
    }[scale]  # fmt: skip
    if look.normalise == "fixed":
        text = "fixed range"
    elif look.normalise == "frame" and scale == "map":
        text = "each frame from its lowest to its highest value"
    else:
        text = f"{whole} from lowest to highest value"
    text += (
        ""
        if numbers or look.normalise != "fixed"
        else (f" {look.fixed_range[0]:.3g} to {look.fixed_range[1]:.3g}")
    )
    text += _DISPLAYS[look.display] + cut_words(look)
    return f"{text}; {panel_rows.note}" if panel_rows.note else text


def legend(page: Page, left: float, right: float) -> None:
    """Write number and name of every ground-truth part, in as many lines as needed."""
    if not page.panel_rows.legend:
        return
    layout, small = page.layout, SMALL * page.layout.font_pt
    step, x = typesetting.line_mm(small), left
    room = layout.width_mm - right - left - 1.6 * step
    page.y += 2 * page.pad
    for number, name in enumerate(page.panel_rows.legend):
        lines = typesetting.broken(typesetting.plain(name, page.font), room, page.font, small)
        widths = [typesetting.width_mm(line, page.font, small) for line in lines]
        wide = 1.6 * step + max(widths, default=0.0)
        if x > left and x + wide > layout.width_mm - right:
            x, page.y = left, page.y + 1.15 * step
        page.dots.append((x + 0.5 * step, page.y + 0.5 * step, number))
        for k, line in enumerate(lines):
            page.small(line, x + 1.2 * step, page.y + k * step, small)
        # A name of several lines had the whole width.
        page.y += max(0, len(lines) - 1) * step
        x += wide + step
    page.y += 1.15 * step
