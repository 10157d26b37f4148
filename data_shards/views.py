"""The square views that enter the image encoder (sizes: FACTS of the thesis' code)."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from data_shards import draws

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

# Test: Resize(256) CenterCrop(256), training: Resize(304) RandomCrop(256), both then to `size`.
_RANDOM_MARGIN = 304 / 256


@dataclass(frozen=True)
class View:
    """JPEG bytes → pixels (3, size, size), uint8.

    `one`: the centred square. `random`: a crop and a flip drawn for (seed, epoch, image).
    """

    size: int
    kind: str = "one"

    def __call__(self, jpeg: bytes, *, image_id: str = "", seed: int = 0, epoch: int = 0) -> Pixels:
        """Decode and cut.

        Raises:
            OSError: the JPEG cannot be decoded.
        """
        with Image.open(io.BytesIO(jpeg)) as opened:
            image = opened.convert("RGB")
        if self.kind == "one":
            return _pixels(self._square(image, self.size, 0.5, 0.5))
        rng = draws.rng(seed, "crop", epoch, image_id)
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
