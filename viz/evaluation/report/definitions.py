"""What each measure is, and what it needs: pages and docs/measures.md show the words."""

from collections.abc import Collection, Iterable

WORDS: dict[str, str] = {
    "part coverage": "Share of the other visible parts whose cell is at or above the threshold "
    "(0.7, the cut of the papers' figures) of the map, the reference's own cell left out and the "
    "others scaled to [0, 1].",
    "lit area": "Share of the cells that part coverage counts as lit: what chance would cover.",
    "part coverage, equal area": "Share of the other visible parts on the highest cells, 15 % of "
    "all unless asked otherwise: the same area for all maps.",
    "pointing game": "1 where the highest cell but the reference's is on the object (its mask, "
    "outline or box) or next to it, else 0 (Zhang et al. 2016); without an object: on another part "
    "or next to it.",
    "energy": "Share of the map's positive mass on the object (energy-based pointing game, Wang et "
    "al. 2020); a cell is on it when its middle is.",
    "object area": "Share of the cells that are on the object: the energy of an even map.",
    "deletion": "Area under the probability of the predicted class while pixels are set to the "
    "training mean, highest first, in 10 equal steps (RISE, Petsiuk et al. 2018): 0 to 1.",
    "insertion": "Area under the probability of the predicted class while pixels come back to a "
    "blurred picture, highest first, in 10 equal steps (RISE, Petsiuk et al. 2018): 0 to 1.",
    "ROAD": "Mean over 20, 40, 60, 80 % of the pixels of (p without the lowest − p without the "
    "highest) / 2, p the probability of the predicted class, pixels filled in by noisy linear "
    "imputation (Rong et al. 2022): -0.5 to 0.5.",
    "NMI": "Normalised mutual information, in percent, of the group or head that is highest at "
    "each key point against the key point's name (PDiscoNet, van der Klis et al. 2023).",
    "ARI": "Adjusted Rand index, in percent, of the same two labelings.",
    "key point error": "Distance of key points from where a linear map of the parts' centroids, "
    "fitted on every other picture, says they are, over the longer side of the object's box.",
    "PCK@0.1": "Share of the parts that two pictures in a row share whose best cosine match in the "
    "second lies within a tenth of the longer side of its object's box (Yang and Ramanan 2013).",
    "top-1": "Share of right answers, of pictures whose class the network names.",
    "top-1, block removed": "The same with every attention block passing its input on.",
    "same answer, block removed": "Share of pictures whose answer stays without the blocks.",
    "energy in its object": "Of what a detector finds: share of the positive mass of the map of an "
    "object's middle that lies in its own mask (its box without one).",
    "energy in others of its class": "The share in the other objects of its class.",
    "energy in other classes": "The share in objects of other classes.",
    "energy in the background": "The share in no object; the four sum to 1.",
    "area of its object": "Share of the cells in the object: the energy of an even map.",
    "row entropy": "Entropy of the weights over its highest possible value: 0 on one cell, 1 even.",
    "distance in space": "How far the weight lies from its reference on average, over the diagonal "
    "of the input: 0 on the reference itself, 0.37 for an even map.",
    "distance in time": "How many moments the weight lies from its reference on average; 0 for a "
    "picture.",
    "share on the reference": "Weight on the reference's own cell.",
    "similarity of heads or groups": "Mean cosine between the maps of different heads or groups at "
    "the same reference.",
    "query dependence": "1 − the mean correlation between the maps of different references: 0 "
    "where every reference gives the same map (GCNet's question, Cao et al. 2019).",
}


_PARTS = "two or more visible key points in a picture"
_OBJECT = "masks, outlines or boxes of the object"
_GROUPS = "key points of two names or more, and two or more groups, heads or channels"
_PREDICTS = "a network that names a class"
_BLOCK = "a network that names a class, with a block that can be removed"
_DETECTOR = "a detector that finds something"
_NEEDS: dict[str, str] = {
    "part coverage": _PARTS,
    "part coverage, equal area": _PARTS,
    "pointing game": f"{_OBJECT}, or {_PARTS}",
    "energy": _OBJECT,
    "object area": _OBJECT,
    "deletion": _PREDICTS,
    "insertion": _PREDICTS,
    "ROAD": _PREDICTS,
    "NMI": _GROUPS,
    "ARI": _GROUPS,
    "key point error": _GROUPS,
    "PCK@0.1": "key points of the same name in two pictures in a row",
    "top-1": "classes of pictures that the network knows by name",
    "top-1, block removed": f"classes of pictures that the network knows by name, and {_BLOCK}",
    "same answer, block removed": _BLOCK,
    "energy in its object": _DETECTOR,
    "energy in others of its class": _DETECTOR,
    "energy in other classes": _DETECTOR,
    "energy in the background": _DETECTOR,
    "area of its object": _DETECTOR,
    "distance in time": "a clip",
    "similarity of heads or groups": "two or more heads or groups",
}
"""What the other measures need is in every picture."""


def unmeasured(asked: Iterable[str], measured: Collection[str]) -> list[str]:
    """Return the measures that were asked for and are not among those that were taken, and why: a
    line for each need that neither the pictures nor the networks met, "NMI (needs ...)"."""
    lacking: dict[str, list[str]] = {}
    for name in asked:
        if name not in measured:
            lacking.setdefault(_NEEDS.get(name, "maps of the network"), []).append(name)
    return [f"{'; '.join(names)} (needs {need})" for need, names in lacking.items()]


def of(name: str) -> str:
    """Return what a measure is, in one or two sentences."""
    return WORDS[name]
