"""The example picture, drawn by the program itself: a songbird on a branch, always the same."""

import hashlib
import io
from functools import cache
from math import cos, hypot, pi, sin

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from viz.types import Clip

WIDTH, HEIGHT = 640, 480
NAME = "example-bird.png"
SECOND_NAME = "example-second-bird.png"
LEAF, HEAD, WING, TWIG = (78, 356), (388, 132), (330, 240), (480, 345)
"""Places in pixels. The example opens with the leaf: its row lights other leaves, far from it."""

_SCALE, _COARSE = 2, 4
Points = list[tuple[float, float]]
Colour = tuple[int, int, int]

_BODY = [
    (392, 96), (424, 108), (437, 136), (434, 166), (424, 206), (398, 256), (352, 296), (306, 312),
    (270, 312), (258, 294), (272, 256), (300, 212), (332, 176), (346, 146), (352, 118), (368, 100),
]  # fmt: skip
_BREAST = [
    (424, 160), (426, 196), (406, 246), (364, 286), (318, 306), (292, 306), (330, 270),
    (364, 226), (388, 184),
]  # fmt: skip
_WING = [
    (362, 176),
    (376, 204),
    (366, 240),
    (330, 276),
    (276, 314),
    (230, 344),
    (248, 306),
    (282, 254),
    (322, 198),
]
_TAIL = [
    (276, 292),
    (292, 308),
    (262, 344),
    (196, 416),
    (176, 420),
    (166, 406),
    (222, 338),
    (252, 300),
]
_CAP = [
    (356, 116),
    (368, 99),
    (392, 93),
    (418, 102),
    (431, 118),
    (404, 120),
    (378, 126),
    (354, 142),
]
_MASK = [(432, 126), (437, 142), (418, 152), (392, 150), (372, 142), (388, 130), (410, 126)]
_UPPER_BEAK = [(433, 124), (450, 128), (476, 142), (452, 142), (434, 138)]
_LOWER_BEAK = [(434, 138), (452, 142), (470, 144), (450, 151), (433, 148)]


@cache
def clip() -> Clip:
    """Return the example as a one-frame Clip of 640 x 480 pixels."""
    return _still(draw(), NAME)


@cache
def second() -> Clip:
    """Return another photo of such a bird: nearer, looking the other way, before other leaves;
    560 x 480 pixels. Two pictures are compared with it."""
    nearer = draw(23).crop((120, 40, 610, 460)).resize((560, 480), Image.Resampling.LANCZOS)
    return _still(nearer.transpose(Image.Transpose.FLIP_LEFT_RIGHT), SECOND_NAME)


def _still(picture: Image.Image, name: str) -> Clip:
    packed = io.BytesIO()
    picture.save(packed, "PNG")
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    return Clip(np.asarray(picture)[None].copy(), (0.0,), name, digest)


def outline() -> np.ndarray:
    """Return the outline of the bird with its wing, tail and beak, (K, 2) x, y in pixels."""
    mask = Image.new("L", (WIDTH, HEIGHT))
    ink = ImageDraw.Draw(mask)
    for polygon in (_BODY, _WING, _TAIL, _UPPER_BEAK, _LOWER_BEAK):
        ink.polygon([(x / _SCALE, y / _SCALE) for x, y in _smooth(polygon)], fill=255)
    found, _tree = cv2.findContours(np.array(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    return max(found, key=cv2.contourArea)[:, 0].astype(float)


def draw(seed: int = 7) -> Image.Image:
    """Draw the scene: soft foliage, a branch with leaves, the bird; ``seed`` places the foliage."""
    rng = np.random.default_rng(seed)
    scene = _background(rng)
    _branch(scene, rng)
    _bird(scene, rng)
    return _grain(scene.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), rng)


def _smooth(points: Points, rounds: int = 3) -> Points:
    """Cut the corners of a closed polygon (Chaikin) and scale it to the drawing size."""
    outline = np.array(points, dtype=float) * _SCALE
    for _ in range(rounds):
        after = np.roll(outline, -1, axis=0)
        outline = np.stack(
            [0.75 * outline + 0.25 * after, 0.25 * outline + 0.75 * after], 1
        ).reshape(-1, 2)
    return [tuple(p) for p in outline]


def _fill(
    scene: Image.Image,
    outline: Points,
    top: tuple[Colour, float],
    bottom: tuple[Colour, float],
    softness: float,
    rounds: int = 3,
) -> None:
    """Paint a smoothed polygon with soft edges, shaded from ``top`` (colour, row) to ``bottom``.

    ``softness`` and rows are in pixels of the picture. Only the polygon's surroundings are touched.
    """
    points = np.array(_smooth(outline, rounds))
    margin = 3 * softness * _SCALE + 2
    left, upper = np.floor(points.min(0) - margin).astype(int).clip(0)
    right, lower = np.minimum(np.ceil(points.max(0) + margin).astype(int), scene.size)
    mask = Image.new("L", (int(right - left), int(lower - upper)))
    ImageDraw.Draw(mask).polygon([tuple(p) for p in points - (left, upper)], fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(softness * _SCALE))
    shade = _shade(top, bottom, range(int(upper), int(lower)), mask.width)
    scene.paste(shade, (int(left), int(upper)), mask)


def _shade(
    top: tuple[Colour, float], bottom: tuple[Colour, float], rows: range, width: int
) -> Image.Image:
    """Return the rows of a vertical gradient between two (colour, row of the picture)."""
    part = ((np.array(rows) / _SCALE - top[1]) / (bottom[1] - top[1])).clip(0, 1)[:, None]
    colours = np.array(top[0]) * (1 - part) + np.array(bottom[0]) * part
    return Image.fromarray(colours.astype(np.uint8)[:, None].repeat(width, 1))


def _background(rng: np.random.Generator) -> Image.Image:
    """Out of focus, so a quarter of the size is enough before it is blurred and scaled up."""
    rows = range(0, HEIGHT * _SCALE, _SCALE * _COARSE)
    scene = _shade(((176, 205, 224), 0), ((112, 142, 84), HEIGHT), rows, WIDTH // _COARSE)
    layer = ImageDraw.Draw(scene, "RGBA")
    for _ in range(90):
        x, y = rng.uniform(0, WIDTH), HEIGHT * rng.uniform(0.15, 1.05) ** 0.8
        radius = rng.uniform(14, 60)
        green = (
            int(rng.uniform(60, 150)),
            int(rng.uniform(105, 170)),
            int(rng.uniform(40, 90)),
            70,
        )
        layer.ellipse([(v + d) / _COARSE for d in (-radius, radius) for v in (x, y)], fill=green)
    for _ in range(14):
        x, y, radius = rng.uniform(0, WIDTH), rng.uniform(0, 220), rng.uniform(8, 24)
        layer.ellipse(
            [(v + d) / _COARSE for d in (-radius, radius) for v in (x, y)], fill=(255, 250, 215, 60)
        )
    blurred = scene.filter(ImageFilter.GaussianBlur(11 / _COARSE))
    return blurred.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.BICUBIC)


def _branch(scene: Image.Image, rng: np.random.Generator) -> None:
    top = [(x, 352 - 0.055 * x + 7 * sin(x / 62)) for x in range(-20, 680, 20)]
    bottom = [(x, y + 25 - x * 0.013 + 3 * sin(x / 23)) for x, y in reversed(top)]
    _fill(scene, top + bottom, ((138, 106, 78), 310), ((62, 44, 34), 375), 0.5, 1)
    lines = ImageDraw.Draw(scene, "RGBA")
    for _ in range(420):
        x = rng.uniform(-10, 650)
        depth = rng.uniform(1, 20 - 0.012 * x)
        y = 352 - 0.055 * x + 7 * sin(x / 62) + depth
        tone = (38, 27, 20, 130) if rng.random() < 0.6 else (176, 142, 108, 110)
        lines.line(
            [c * _SCALE for c in (x, y, x + rng.uniform(6, 26), y - 1.2)], fill=tone, width=_SCALE
        )
    for x, angle, length in (
        (66, -1.1, 58),
        (112, -0.5, 50),
        (88, 0.9, 46),
        (560, -1.0, 60),
        (602, -0.4, 48),
        (540, 1.1, 44),
    ):
        _leaf(scene, (x, 350 - 0.055 * x + 7 * sin(x / 62) + 8), angle, length)


def _leaf(scene: Image.Image, root: tuple[float, float], angle: float, length: float) -> None:
    along, across = (cos(angle), sin(angle)), (-sin(angle), cos(angle))

    def at(far: float, side: float) -> tuple[float, float]:
        return tuple(root[k] + length * (far * along[k] + side * across[k]) for k in (0, 1))

    outline = [at(0, 0), at(0.25, 0.2), at(0.6, 0.24), at(1.05, 0), at(0.6, -0.22), at(0.25, -0.18)]
    _fill(scene, outline, ((116, 158, 62), root[1] - 50), ((66, 112, 44), root[1] + 40), 0.5, 2)
    vein = [c * _SCALE for c in (*root, *at(0.95, 0))]
    ImageDraw.Draw(scene).line(vein, fill=(168, 196, 110), width=_SCALE)


def _bird(scene: Image.Image, rng: np.random.Generator) -> None:
    ink = ImageDraw.Draw(scene, "RGBA")
    for foot, hip in (((318, 338), (322, 296)), ((352, 336), (350, 286))):
        _leg(ink, hip, foot)
    _fill(scene, _TAIL, ((92, 60, 44), 290), ((44, 32, 30), 420), 0.6)
    _barbs(ink, rng, (272, 306), (182, 408), 9, (134, 94, 66, 210), 4)
    _fill(scene, _BODY, ((176, 118, 72), 90), ((138, 88, 58), 310), 0.7)
    _fill(scene, _BREAST, ((226, 104, 42), 170), ((246, 226, 190), 300), 4.0)
    _feathers(ink, rng)
    _fill(scene, _WING, ((84, 108, 142), 176), ((46, 56, 82), 340), 0.7)
    _wing_lines(ink)
    _fill(scene, _CAP, ((52, 74, 118), 92), ((88, 116, 158), 142), 1.0)
    _fill(scene, _MASK, ((34, 28, 30), 122), ((58, 44, 42), 152), 1.4)
    _fill(scene, _UPPER_BEAK, ((112, 104, 98), 122), ((62, 56, 54), 146), 0.4, 2)
    _fill(scene, _LOWER_BEAK, ((176, 158, 126), 136), ((122, 106, 88), 152), 0.4, 2)
    _disc(ink, (411, 132), 8.2, (232, 222, 200))
    _disc(ink, (411.5, 132.2), 6.6, (22, 16, 14))
    _disc(ink, (413.8, 129.6), 2.0, (255, 255, 255))


def _disc(
    ink: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, fill: Colour
) -> None:
    ink.ellipse([(v + d) * _SCALE for d in (-radius, radius) for v in centre], fill=fill)


def _leg(ink: ImageDraw.ImageDraw, hip: tuple[float, float], foot: tuple[float, float]) -> None:
    tone = (150, 104, 84)
    ink.line([c * _SCALE for c in (*hip, *foot)], fill=tone, width=5 * _SCALE)
    for reach in (-13, 4, 15):
        toe = (foot[0] + reach, foot[1] + 7 - abs(reach) / 8)
        ink.line([c * _SCALE for c in (*foot, *toe)], fill=tone, width=4 * _SCALE)
        _disc(ink, toe, 2.2, (70, 50, 44))


def _feathers(ink: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Short strokes over breast and flank that follow the body."""
    for _ in range(620):
        along, side = rng.uniform(0, 1), rng.uniform(-1, 1)
        x = 412 - 118 * along + side * 24 * cos(along * pi / 2.2)
        y = 172 + 128 * along + side * 20 * sin(along * pi / 2.2)
        tone = (255, 236, 204, 90) if rng.random() < 0.5 else (150, 74, 34, 80)
        ink.line([c * _SCALE for c in (x, y, x - 5, y + 7)], fill=tone, width=_SCALE + 1)


def _barbs(
    ink: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    start: tuple[float, float],
    end: tuple[float, float],
    count: int,
    tone: tuple[int, int, int, int],
    spread: float,
) -> None:
    """Nearly parallel lines from ``start`` to ``end``: the shafts of long feathers."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    normal = ((start[1] - end[1]) / length, (end[0] - start[0]) / length)
    for k in range(count):
        off = (k - (count - 1) / 2) * spread * 0.7 + rng.uniform(-0.4, 0.4)
        line = (start[0] + normal[0] * off * 0.6, start[1] + normal[1] * off * 0.6,
                end[0] + normal[0] * off * 0.7, end[1] + normal[1] * off * 0.7)  # fmt: skip
        ink.line([c * _SCALE for c in line], fill=tone, width=_SCALE)


def _wing_lines(ink: ImageDraw.ImageDraw) -> None:
    """Two pale bars across the coverts and the edges of the flight feathers."""
    for first, last in (((318, 212), (366, 232)), ((298, 240), (348, 262))):
        ink.line([c * _SCALE for c in (*first, *last)], fill=(236, 238, 240, 255), width=5 * _SCALE)
    for k in range(7):
        root = (344 - 9 * k, 256 + 1.5 * k)
        tip = (262 - 5 * k, 318 + 3.6 * k)
        ink.line([c * _SCALE for c in (*root, *tip)], fill=(150, 170, 196, 230), width=2 * _SCALE)
        ink.line([(c + 2) * _SCALE for c in (*root, *tip)], fill=(28, 34, 52, 200), width=_SCALE)


def _grain(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    noisy = np.asarray(picture, dtype=float) + rng.normal(0, 2.2, (HEIGHT, WIDTH, 1))
    return Image.fromarray(np.rint(noisy).clip(0, 255).astype(np.uint8))
