"""The square views that enter the image encoder (sizes: FACTS of the thesis' code)."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from data_shards import draws, order
from data_shards.images import decoded

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

# Test: Resize(256) CenterCrop(256), training: Resize(304) RandomCrop(256), both then to `size`.
_RANDOM_MARGIN = 304 / 256


@dataclass(frozen=True)
class View:
    """JPEG bytes → pixels (3, size, size), uint8.

    `one`: the centred square. `random`: a crop and a flip drawn for (seed, epoch, image); with a
    `count`, for (number, image), and each epoch takes one of these numbers. So a count of views
    can be cached, once for all seeds.
    """

    size: int
    kind: str = "one"
    count: int = 0

    @property
    def columns(self) -> int:
        """How many different views an image has; 0 if there is no end to them."""
        return 1 if self.kind == "one" else self.count

    def key(self, number: int) -> str:
        """Names one of them: equal keys, equal cuts."""
        return f"-{self.kind}{number}-{self.size}"

    def __call__(self, jpeg: bytes, *, image_id: str = "", seed: int = 0, epoch: int = 0) -> Pixels:
        """Decode and cut.

        Raises:
            OSError, ValueError, SyntaxError: the JPEG cannot be decoded, or is far too large.
        """
        if self.columns:
            number = order.view_choice(self.columns, seed=seed, epoch=epoch, image_id=image_id)
            return self.nth(jpeg, number, image_id=image_id)
        return self._random(decoded(jpeg), draws.rng(seed, "crop", epoch, image_id))

    def nth(self, jpeg: bytes, number: int, *, image_id: str) -> Pixels:
        """Decode and cut one of the `columns` views.

        Raises:
            OSError, ValueError, SyntaxError: the JPEG cannot be decoded, or is far too large.
        """
        if self.kind == "one":
            return _pixels(self._square(decoded(jpeg), self.size, 0.5, 0.5))
        return self._random(decoded(jpeg), draws.rng(0, "crop", number, image_id))

    def _random(self, image: Image.Image, rng: np.random.Generator) -> Pixels:
        left, top, flip = rng.random(3)
        square = self._square(image, round(self.size * _RANDOM_MARGIN), left, top)
        if flip < 0.5:
            square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return _pixels(square)

    def _square(self, image: Image.Image, shorter: int, left: float, top: float) -> Image.Image:
        """A square of `size` of the image resized to `shorter`; offsets are shares of the play."""
        scale = min(image.size) / shorter
        side = self.size * scale
        x, y = left * (image.width - side), top * (image.height - side)
        box = (x, y, x + side, y + side)
        return image.resize((self.size, self.size), Image.Resampling.BILINEAR, box=box)


def _pixels(image: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
