"""Photographs as they are stored: RGB JPEG, shorter side at most 304 pixels (as trained on)."""

import io
import warnings

from PIL import Image, ImageFile, ImageOps

from data_shards.datasets.base import SourceImage
from data_shards.errors import DataError

LONGEST_SHORT_SIDE = 304
QUALITY = 95
_LARGEST_STORED = 304 * 30_000  # pixels: what we store is small, however long
_SMALLEST_SIDE = 8
_ORIENTATION = 0x0112  # EXIF tag
_DEEP_MODES = ("I", "F")  # 16 or 32 bits a pixel: their range is anyone's guess


def decoded(jpeg: bytes) -> Image.Image:
    """A stored photograph.

    Raises:
        OSError, ValueError, SyntaxError: it does not decode, or is far larger than what we store:
            its header says so, and nothing is decoded.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as opened:
            if opened.width * opened.height > _LARGEST_STORED:
                raise ValueError(f"a stored image must be small, but is {opened.size} pixels")
            return opened.convert("RGB")
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from error


def to_jpeg(source: SourceImage) -> bytes:
    """The image as RGB JPEG; aspect kept, never enlarged, transparency over white.

    A JPEG that already is what is wanted keeps its bytes (no second loss).

    Raises:
        DataError: the image cannot be decoded wholly, is far too large, too small or not 8-bit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _encode(source.open(), image_id=source.image_id)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(f"image {source.image_id} must be of sane size, but {error}") from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's decoders raise
        if isinstance(error, DataError):
            raise
        raise DataError(f"image {source.image_id} must decode wholly, but {error}.") from error


def _encode(image: Image.Image, *, image_id: str) -> bytes:
    if min(image.size) < _SMALLEST_SIDE:
        raise DataError(
            f"an image must be at least {_SMALLEST_SIDE} pixels wide and high, "
            f"but {image_id} is {image.width}×{image.height}."
        )
    if image.mode.startswith(_DEEP_MODES):
        raise DataError(f"an image must have 8 bits a channel, but {image_id} is {image.mode!r}.")
    original = _fitting_bytes(image)
    image.load()
    if original is not None:
        return original
    small = _shrink(_to_rgb(ImageOps.exif_transpose(image)))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def _fitting_bytes(image: Image.Image) -> bytes | None:
    """The file's own bytes if it is an upright RGB JPEG of the right size."""
    fits = image.format == "JPEG" and image.mode == "RGB" and min(image.size) <= LONGEST_SHORT_SIDE
    if not fits or image.getexif().get(_ORIENTATION, 1) != 1:
        return None
    assert isinstance(image, ImageFile.ImageFile)
    assert image.fp is not None
    position = image.fp.tell()
    image.fp.seek(0)
    content = image.fp.read()
    image.fp.seek(position)
    return content


def _to_rgb(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    white = Image.new("RGBA", layers.size, "white")
    return Image.alpha_composite(white, layers).convert("RGB")


def _shrink(image: Image.Image) -> Image.Image:
    scale = LONGEST_SHORT_SIDE / min(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)
