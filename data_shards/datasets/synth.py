"""The built-in set: drawn flowers, described by sentences that name their attributes.

A class is a combination of attributes; a test class is a *new combination of seen values*, the
thesis' own question in its purest form. Background, leaves, position, size and turn are drawn for
each image and say nothing of the class.
"""

import itertools
import math
from collections import Counter
from dataclasses import astuple, dataclass
from typing import final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from data_shards import draws
from data_shards.datasets.base import Source, SourceImage
from data_shards.errors import UsageError

SIDE = 192  # pixels
SCALE = 2  # drawn larger, then reduced: smooth edges

COLOURS = {
    "red": (200, 30, 40), "yellow": (245, 210, 40), "purple": (125, 50, 165),
    "white": (248, 246, 240), "orange": (240, 125, 25), "blue": (55, 95, 210),
}  # fmt: skip
CENTRES = {"golden": (235, 180, 30), "black": (35, 28, 30), "green": (110, 170, 60)}
SHAPES = ("round", "pointed")
COUNTS = {"four": 4, "eight": 8}


@dataclass(frozen=True)
class Flower:
    """What defines a class."""

    colour: str
    centre: str
    shape: str
    count: str

    @property
    def name(self) -> str:
        """E.g. `red, four round petals, golden centre`."""
        return f"{self.colour}, {self.count} {self.shape} petals, {self.centre} centre"


@final
@dataclass(frozen=True, kw_only=True)
class Drawing(SourceImage):
    """A flower drawn from its class' attributes and the image's own draws."""

    flower: Flower
    seed: int

    def open(self) -> Image.Image:
        return draw(self.flower, seed=self.seed, image_id=self.image_id)


def read(
    *, classes: int = 72, test_classes: int = 20, images_per_class: int = 10, seed: int = 0
) -> Source:
    """Draw up the set; pictures are drawn when they are packed.

    Args:
        classes: training and test classes together, 60 to 72.
        test_classes: 12 or more of them, at most a third; each value of each attribute stays in
            training, whichever classes are held out for validation.

    Raises:
        UsageError: a number is out of range.
    """
    if not (60 <= classes <= len(ALL) and 12 <= test_classes <= classes // 3):
        raise UsageError(
            f"classes must be 60 to {len(ALL)} and test_classes 12 to a third of them, but got "
            f"classes={classes} test_classes={test_classes}."
        )
    if images_per_class < 1:
        raise UsageError(f"images_per_class must be >= 1, but got {images_per_class}.")
    flowers = _choose(classes, test_classes, seed=seed)
    images = {
        number: [_image(number, flower, index, seed) for index in range(images_per_class)]
        for number, flower in enumerate(flowers, start=1)
    }
    numbers = sorted(images)
    train, test = numbers[test_classes:], numbers[:test_classes]
    return Source(
        dataset=DATASET,
        description="drawn flowers and templated sentences; test classes are new combinations",
        train=[image for number in train for image in images[number]],
        test=[image for number in test for image in images[number]],
    )


VALUES = (*COLOURS, *CENTRES, *SHAPES, *COUNTS)
ALL = [Flower(*values) for values in itertools.product(COLOURS, CENTRES, SHAPES, COUNTS)]


def _choose(classes: int, test_classes: int, *, seed: int) -> list[Flower]:
    """Different flowers, the test classes first.

    Drawn again until every value stands in more training classes than validation can hold out (a
    tenth, at least 5): a test class must be new in its combination only.
    """
    rng = draws.rng(seed, "synth classes")
    enough = (classes - test_classes) // 10 + 2
    while True:
        chosen = [ALL[index] for index in rng.permutation(len(ALL))[:classes]]
        shown = Counter(value for flower in chosen[test_classes:] for value in astuple(flower))
        if all(shown[value] >= enough for value in VALUES):
            return chosen


TEMPLATES = (  # short: about 2.3 s of speech, since it is the speech that a CPU pays for
    "{count} {shape} {colour} petals, {centre} centre",
    "{count} {shape} {colour} petals and a {centre} centre",
    "a {centre} centre in {count} {shape} {colour} petals",
    "{centre} centre, {count} {shape} petals of {colour}",
)
DATASET = "synth"
CAPTIONS = 2


def _image(number: int, flower: Flower, index: int, seed: int) -> Drawing:
    image_id = f"flower_{number:03}_{index:03}"
    order = draws.rng(seed, "synth captions", image_id).permutation(len(TEMPLATES))
    values = vars(flower)
    return Drawing(
        image_id=image_id,
        class_id=number,
        class_name=flower.name,
        captions=tuple(TEMPLATES[i].format(**values) for i in order[:CAPTIONS]),
        flower=flower,
        seed=seed,
    )


@dataclass(frozen=True)
class Nuisance:
    """What is drawn for each image and independent of its class."""

    background: tuple[int, int, int]
    x: float
    y: float
    radius: float
    leaf_width: float
    turn: float
    brightness: float


def nuisance(*, seed: int, image_id: str) -> Nuisance:
    """Background, leaves, position, size, turn and light of an image (lengths in pixels)."""
    rng = draws.rng(seed, "synth scene", image_id)
    red, green, blue = (int(value) for value in rng.integers(60, 190, 3))
    return Nuisance(
        background=(red, green, blue),
        x=SIDE * rng.uniform(0.42, 0.58),
        y=SIDE * rng.uniform(0.42, 0.58),
        radius=SIDE * rng.uniform(0.3, 0.4),
        leaf_width=rng.uniform(0.15, 0.5),
        turn=rng.uniform(0, 2 * math.pi),
        brightness=rng.uniform(0.85, 1.1),
    )


def draw(flower: Flower, *, seed: int, image_id: str) -> Image.Image:
    """The picture, SIDE × SIDE."""
    scene = nuisance(seed=seed, image_id=image_id)
    image = Image.new("RGB", (SIDE * SCALE, SIDE * SCALE), scene.background)
    _grain(image, seed=seed, image_id=image_id)
    pen = ImageDraw.Draw(image)
    _leaves(pen, flower, scene)
    _petals(pen, flower, scene)
    _centre(pen, flower, scene)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _grain(image: Image.Image, *, seed: int, image_id: str) -> None:
    """Soft blotches over the background."""
    rng = draws.rng(seed, "synth grain", image_id)
    noise = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
    blotches = Image.fromarray(noise).resize(image.size, Image.Resampling.BICUBIC)
    image.paste(Image.blend(image, blotches.filter(ImageFilter.GaussianBlur(8)), 0.25))


def _petals(pen: ImageDraw.ImageDraw, flower: Flower, scene: Nuisance) -> None:
    count = COUNTS[flower.count]
    width = 0.62 if count == 4 else 0.36
    base = COLOURS[flower.colour]
    fill, edge = _lit(base, scene.brightness), _lit(base, 0.6 * scene.brightness)
    for number in range(count):
        angle = scene.turn + 2 * math.pi * number / count
        outline = _blade(scene, angle, reach=scene.radius, width=width, pointed=_pointed(flower))
        pen.polygon(outline, fill=fill, outline=edge, width=SCALE * 2)


def _leaves(pen: ImageDraw.ImageDraw, flower: Flower, scene: Nuisance) -> None:
    """Two opposite leaves that reach out from behind the petals."""
    fill = _lit((40, 120, 50), scene.brightness)
    for side in (0.0, math.pi):
        angle = scene.turn + math.pi / COUNTS[flower.count] + side
        outline = _blade(
            scene, angle, reach=1.35 * scene.radius, width=scene.leaf_width, pointed=True
        )
        pen.polygon(outline, fill=fill, outline=_lit((40, 120, 50), 0.6), width=SCALE * 2)


def _centre(pen: ImageDraw.ImageDraw, flower: Flower, scene: Nuisance) -> None:
    radius = 0.27 * scene.radius
    box = [(scene.x - radius) * SCALE, (scene.y - radius) * SCALE,
           (scene.x + radius) * SCALE, (scene.y + radius) * SCALE]  # fmt: skip
    base = CENTRES[flower.centre]
    pen.ellipse(box, fill=_lit(base, scene.brightness), outline=_lit(base, 0.6), width=SCALE * 2)


def _pointed(flower: Flower) -> bool:
    return flower.shape == "pointed"


def _blade(
    scene: Nuisance, angle: float, *, reach: float, width: float, pointed: bool
) -> list[tuple[float, float]]:
    """Outline of a petal or leaf from the centre outwards; `width` is a share of `reach`."""
    along = np.linspace(0, 1, 24)
    if pointed:
        half = np.sin(np.pi * along**0.7) * (1 - along) ** 0.35
    else:
        half = np.sqrt(np.clip(1 - (2 * along - 1) ** 2, 0, 1)) * along**0.35
    half *= 0.5 * width / half.max()
    sides = [*zip(along, half, strict=True), *zip(along[::-1], -half[::-1], strict=True)]
    cos, sin = math.cos(angle), math.sin(angle)
    return [
        ((scene.x + reach * (a * cos - h * sin)) * SCALE,
         (scene.y + reach * (a * sin + h * cos)) * SCALE)
        for a, h in sides
    ]  # fmt: skip


def _lit(colour: tuple[int, int, int], brightness: float) -> tuple[int, int, int]:
    red, green, blue = (min(255, round(value * brightness)) for value in colour)
    return red, green, blue
