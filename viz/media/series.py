"""Which pictures of a folder or zip belong together: frames are grouped by their series.

Folders of raw frames, as TSN and mmaction2 write them, hold optical flow beside the pictures:
img_00001.jpg, flow_x_00001.jpg, flow_y_00001.jpg (or x_, y_; flow_x/00001.jpg). A series is written
as its names with * for numbers: img_*.jpg.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from errors import MediaError, counted

_NUMBER, _STAR = re.compile("[0-9]+"), re.compile(r"\*")
_FLOW = re.compile(r"(?:^|[^a-z])(?:(?:opt(?:ical)?[-_]?)?flow|tvl\*)(?:[^a-z]|$)")
_AXIS = re.compile(r"(?:.*/)?[uvxy][-_]?\*\.[a-z]+|(?:.*/)?[uvxy]/[^/]*")
"""A component of flow that is only called x and y, or u and v."""
_LISTED = 6

Groups = Mapping[str, Sequence[int]]


def chosen(
    names: Sequence[str], where: str, wanted: str | None = None
) -> tuple[list[int], tuple[str, ...]]:
    """Return the places of the names that are frames of one clip, and notes on what is left out.

    Optical flow is left out where there are pictures beside it, and so are single pictures beside
    a series. ``wanted`` are the names that were asked for, see ``matching``.
    MediaError where there are several series of pictures, or none that is wanted; ``where`` is what
    the names are in.
    """
    groups = _grouped(names)
    if wanted is not None:
        return _wanted(names, groups, where, wanted), ()
    flow = _flow_among(groups)
    rest = {name: places for name, places in groups.items() if name not in flow}
    if not rest:
        rest, flow = groups, set()
    several = sorted(name for name, places in rest.items() if len(places) > 1)
    if len(several) > 1:
        raise _several(rest, where, several)
    notes = [
        f"optical flow left out: {counted(len(groups[name]), 'picture')} {name}"
        for name in sorted(flow)
    ]
    if not several:
        return sorted(place for places in rest.values() for place in places), tuple(notes)
    others = [names[places[0]] for name, places in rest.items() if name != several[0]]
    if others:
        notes.append(f"left out, not of the series {several[0]}: {_listed(others)}")
    return list(rest[several[0]]), tuple(notes)


def _grouped(names: Sequence[str]) -> Groups:
    """Return the places of the names of each series."""
    alike: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        alike[_masked(name)].append(place)
    groups: dict[str, list[int]] = {}
    for mask, places in alike.items():
        views = _views(names, places)
        for before, own in views.items():
            numbers = iter(before)
            held = _STAR.sub(lambda star, left=numbers: next(left, star.group()), mask)
            groups[held] = own
    return groups


def _masked(name: str) -> str:
    low = name.replace("\\", "/").lower()
    low = f"{low[:-5]}.jpg" if low.endswith(".jpeg") else low
    return _NUMBER.sub("*", low)


def _views(names: Sequence[str], places: list[int]) -> dict[tuple[str, ...], list[int]]:
    """Return names of one form by all their numbers but the last, where these tell several views
    of the same moments: each view has the same last numbers (cam1_0001, cam2_0001)."""
    views: dict[tuple[str, ...], list[int]] = defaultdict(list)
    lasts: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for place in places:
        *before, last = _NUMBER.findall(names[place]) or [""]
        views[tuple(before)].append(place)
        lasts[tuple(before)].add(int(last[-18:] or 0))
    same = {frozenset(numbers) for numbers in lasts.values()}
    if len(views) > 1 and len(same) == 1 and len(next(iter(same))) > 1:
        return views
    return {(): places}


def _flow_among(groups: Groups) -> set[str]:
    """Return the series of optical flow: so called, or in pairs x and y beside others."""
    named = {name for name in groups if _FLOW.search(name)}
    bare = {name for name in groups if _AXIS.fullmatch(name)} - named
    paired = len(bare) == 2 and len({len(groups[name]) for name in bare}) == 1
    return named | bare if paired and len(groups) > len(named) + 2 else named


def matching(names: Sequence[str], wanted: str) -> list[int]:
    """Return the places of names that fit a pattern with *, or that begin so and go on with a
    number."""
    pattern = wanted if "*" in wanted else f"{wanted}[0-9]*"
    found = [place for place, name in enumerate(names) if fnmatchcase(name, pattern)]
    return found or [p for p, name in enumerate(names) if fnmatchcase(name.lower(), pattern)]


def _wanted(names: Sequence[str], groups: Groups, where: str, wanted: str) -> list[int]:
    found = matching(names, wanted)
    if not found:
        raise MediaError(
            f"{where} holds no pictures {wanted}; it holds {_described(groups)}. Give one of these."
        )
    return found


def _several(groups: Groups, where: str, several: list[str]) -> MediaError:
    begins = several[0].partition("*")[0]
    alone = begins and not any(name.startswith(begins) for name in several[1:])
    return MediaError(
        f"{where} holds {len(several)} series of pictures, "
        f"{_described({name: groups[name] for name in several})}; a clip is one of them. Give the "
        f"path of one, as in {where}/{begins if alone else several[0]}, or pack one alone."
    )


def _described(groups: Groups) -> str:
    return _listed([f"{name} ({len(places)})" for name, places in groups.items()])


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(texts[:_LISTED]) + (", ..." if texts[_LISTED:] else "")
