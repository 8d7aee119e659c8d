"""Photographs in motion: a camera that pans and zooms over one, a piece of another that moves.

What is seen is known, so every clip says where the point under a cell is in each other frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

FRAMES = 8
HIDDEN = -1
"""A match that is outside the frame or covered."""


@dataclass(frozen=True)
class Moving:
    """frames (T, S, S, 3) uint8; references (R,) and matches (R, T): positions on a grid.

    A reference is counted in (t, y, x) order over the clip, a match inside its own frame;
    HIDDEN where the point cannot be seen.
    """

    frames: np.ndarray
    references: np.ndarray
    matches: np.ndarray


def _path(draw: np.random.Generator, low: float, high: float, frames: int) -> np.ndarray:
    """Return values from one random number to another, (T,)."""
    return np.linspace(draw.uniform(low, high), draw.uniform(low, high), frames)


def _camera(draw: np.random.Generator, photo: np.ndarray, side: int, frames: int) -> np.ndarray:
    """Return (T, 2, 3): photograph's pixels -> frame's pixels, of a smooth pan, zoom and turn."""
    short = min(photo.shape[:2])
    zoom = side / (short * _path(draw, 0.6, 0.9, frames))
    turn = np.deg2rad(_path(draw, -8, 8, frames))
    middle = np.array([photo.shape[1], photo.shape[0]]) / 2
    room = middle - 0.3 * short
    offset = np.stack([_path(draw, -r, r, frames) for r in np.maximum(room * 0.5, 1)], 1)
    flip = -1.0 if draw.random() < 0.5 else 1.0
    return _around(middle + offset, zoom, turn, np.full((frames, 2), side / 2), flip)


def _around(
    centre: np.ndarray, zoom: np.ndarray, turn: np.ndarray, onto: np.ndarray, flip: float
) -> np.ndarray:
    """Return (T, 2, 3) that take ``centre`` (T, 2) to ``onto`` (T, 2), scaled and turned."""
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    turned = np.stack([np.stack([flip * cos, -sin], -1), np.stack([flip * sin, cos], -1)], -2)
    shift = onto - np.einsum("tij,tj->ti", turned, centre)
    return np.concatenate([turned, shift[..., None]], 2)


def _piece(
    draw: np.random.Generator, photo: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle of a photograph and its soft oval mask (n, n)."""
    n = round(side * draw.uniform(0.25, 0.55))
    short = min(photo.shape[:2])
    cut = round(short * draw.uniform(0.5, 0.9))
    top, left = (photo.shape[0] - cut) // 2, (photo.shape[1] - cut) // 2
    middle = photo[top : top + cut, left : left + cut]
    piece = cv2.resize(middle, (n, n), interpolation=cv2.INTER_AREA)
    axis = (np.arange(n) + 0.5) / n * 2 - 1
    stretch = draw.uniform(0.7, 1.0)
    inside = 1 - np.sqrt((axis[:, None] / stretch) ** 2 + axis[None] ** 2)
    return piece, (inside * 8).clip(0, 1).astype(np.float32)


def moving_photo(
    draw: np.random.Generator,
    photo: np.ndarray,
    other: np.ndarray,
    side: int,
    grid: int,
    references: int,
) -> Moving:
    """Film ``photo`` with a piece of ``other`` (None: nothing) that crosses it.

    Half of the references are on the piece. Coordinates are those of cell middles.
    """
    camera = _camera(draw, photo, side, FRAMES)
    piece, mask = _piece(draw, other, side)
    zoom, turn = _path(draw, 0.8, 1.25, FRAMES), np.deg2rad(_path(draw, -20, 20, FRAMES))
    onto = np.stack([_path(draw, 0.15 * side, 0.85 * side, FRAMES) for _ in range(2)], 1)
    middle = np.full((FRAMES, 2), piece.shape[0] / 2)
    carried = _around(middle, zoom, turn, onto, 1.0)
    frames = np.empty((FRAMES, side, side, 3), np.uint8)
    covers = np.empty((FRAMES, side, side), np.float32)
    for t in range(FRAMES):
        size = (side, side)
        ground = cv2.warpAffine(photo, camera[t], size, borderMode=cv2.BORDER_REFLECT)
        front = cv2.warpAffine(piece, carried[t], size, borderMode=cv2.BORDER_REFLECT)
        covers[t] = cv2.warpAffine(mask, carried[t], size)
        share = covers[t][..., None]
        frames[t] = (share * front + (1 - share) * ground).astype(np.uint8)
    found, matches = _matches(draw, camera, carried, covers > 0.5, grid, references)
    return Moving(frames, found, matches)


def _matches(
    draw: np.random.Generator,
    camera: np.ndarray,
    carried: np.ndarray,
    covered: np.ndarray,
    grid: int,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return random references (R,) and where each is in every frame (R, T)."""
    side = covered.shape[1]
    middles = (np.arange(grid) + 0.5) * side / grid
    at_cells = covered[:, middles.astype(int)][:, :, middles.astype(int)].reshape(FRAMES, -1)
    on_piece = np.flatnonzero(at_cells)
    anywhere = draw.integers(0, at_cells.size, count)
    if len(on_piece):
        anywhere[: count // 2] = draw.choice(on_piece, count // 2)
    matches = np.full((count, FRAMES), HIDDEN, np.int64)
    for row, reference in enumerate(anywhere):
        t, cell = divmod(int(reference), grid * grid)
        point = np.array([middles[cell % grid], middles[cell // grid]])
        front = bool(at_cells[t, cell])
        layer = carried if front else camera
        origin = np.linalg.solve(layer[t, :, :2], point - layer[t, :, 2])
        for k in range(FRAMES):
            x, y = layer[k, :, :2] @ origin + layer[k, :, 2]
            if 0 <= x < side and 0 <= y < side and covered[k, int(y), int(x)] == front:
                matches[row, k] = int(y * grid / side) * grid + int(x * grid / side)
    return anywhere, matches
