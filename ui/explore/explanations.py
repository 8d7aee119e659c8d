"""How to read a map: the formula in use and one sentence about it."""

from models.blocks.kernels import TaylorKernel
from viz.types import BlockCapture, NonLocalCapture

_NONLOCAL = {
    "gaussian": (
        r"m(j)=\operatorname{softmax}_j\left(x_i^{\mathsf T}x_j\right)",
        "Each value is the weight that the reference patch i gives to position j when the "
        "block sums up the picture; the weights of one reference sum to 1.",
    ),
    "embedded_gaussian": (
        r"m(j)=\operatorname{softmax}_j\left(s\,\theta_i^{\mathsf T}\phi_j\right)",
        "Each value is the weight that the reference patch i gives to position j when the "
        "block sums up the picture; the weights of one reference sum to 1.",
    ),
    "dot_product": (
        r"m(j)=\tfrac{1}{N}\,s\,\theta_i^{\mathsf T}\phi_j",
        "Each value is the similarity of the reference patch i and position j; it can have "
        "either sign, and nothing makes the values sum to 1.",
    ),
    "concatenation": (
        r"m(j)=\tfrac{1}{N}\operatorname{ReLU}\left(w_f^{\mathsf T}[\theta_i,\phi_j]\right)",
        "Each value is a learned function of the reference patch i and position j; it is 0 "
        "where the two together stay below zero, so whole maps can be empty.",
    ),
}
_OUTER_PRODUCT = (
    "A bright position j has a strong phi in the same channel as the reference's theta. With "
    "the dot-product kernel a single channel's map is an outer product: theta of the "
    "reference is one number that multiplies the same phi everywhere, so moving the reference "
    "changes the map's size and sign but never its shape. Which channels rank first and the "
    "group maps, sums of many channels, do change."
)
_TAYLOR = (
    "A bright position j agrees with the reference in this channel under the kernel's Taylor "
    "expansion; the higher powers let a channel's map change shape, weakly, with the "
    "reference. Group maps add up their channels."
)
_EXACT = (
    "A bright position j agrees with the reference in this channel under the exact kernel, "
    "not its expansion. Group maps add up their channels."
)


def formula(block: BlockCapture) -> str:
    """Return the formula of the block's maps, as LaTeX."""
    if isinstance(block, NonLocalCapture):
        return _NONLOCAL[block.pairwise.name][0]
    if not isinstance(block.kernel, TaylorKernel):
        return r"m_c(j)=k\left(\theta_c(i),\phi_c(j)\right)"
    if _is_dot_product(block.kernel):
        return r"m_c(j)=\theta_c(i)\,\phi_c(j),\qquad m_g(j)=\sum_{c\in g}m_c(j)"
    taylor = r"m_c(j)=\sum_p\alpha_p^2\left(\theta_c(i)\,\phi_c(j)\right)^p"
    return taylor + r",\qquad m_g(j)=\sum_{c\in g}m_c(j)"


def sentence(block: BlockCapture) -> str:
    """Return how to read the map."""
    if isinstance(block, NonLocalCapture):
        return _NONLOCAL[block.pairwise.name][1]
    if not isinstance(block.kernel, TaylorKernel):
        return _OUTER_PRODUCT if block.kernel.linear else _EXACT
    return _OUTER_PRODUCT if _is_dot_product(block.kernel) else _TAYLOR


def dependence_sentence(number: float) -> str:
    """Say what the query-dependence number means."""
    return (
        f"Query dependence {number:.2f}: 0 would mean that every reference gives the same map, "
        "1 that the maps of different references are uncorrelated."
    )


def _is_dot_product(kernel: TaylorKernel) -> bool:
    return [power for power, _weight in kernel.terms] == [1]


def held_still(block: BlockCapture) -> str:
    """Say what a clip network is shown of a still picture."""
    return (
        "A clip network: it sees this picture held still. Shown is the first of "
        f"{block.key_grid.frames} moments of its feature clip, scaled over all of them."
    )
