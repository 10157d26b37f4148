import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_shards.datasets.base import SourceImage
from data_shards.errors import DataError
from data_shards.images import to_jpeg


@dataclass(frozen=True, kw_only=True)
class File(SourceImage):
    path: Path

    def open(self) -> Image.Image:
        return Image.open(self.path)


@pytest.fixture
def convert(tmp_path):
    """Saves an image as a file and converts that."""

    def run(image, name="a.png", **options):
        image.save(tmp_path / name, **options)
        return to_jpeg(source(tmp_path / name))

    return run


def source(path):
    return File(image_id="rose", class_id=1, class_name="", captions=("x",), path=path)


def decoded(content):
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def noise(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((608, 912), (304, 456)), ((1000, 500), (608, 304)), ((100, 900), (100, 900))],
)
def test_shorter_side_at_most_304_never_enlarged(convert, size, expected):
    assert decoded(convert(noise(*size))).size == expected


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "RGBA"])
def test_every_mode_becomes_rgb(convert, mode):
    name = "a.tif" if mode == "CMYK" else "a.png"
    image = decoded(convert(Image.new("RGB", (20, 20), (0, 0, 255)).convert(mode), name))
    assert (image.mode, image.format, image.size) == ("RGB", "JPEG", (20, 20))
    if mode in ("P", "RGBA"):
        assert np.abs(np.array(image)[10, 10] - np.array([0, 0, 255])).max() < 5


def test_what_is_transparent_is_white(convert):
    image = decoded(convert(Image.new("RGBA", (20, 20), (0, 0, 0, 0))))
    assert np.array(image).min() == 255


def test_a_fitting_jpeg_keeps_its_bytes(convert, tmp_path):
    content = convert(noise(80, 60), "a.jpg", quality=50)
    assert content == (tmp_path / "a.jpg").read_bytes()


def test_a_large_or_turned_jpeg_is_encoded_anew(convert, tmp_path):
    assert decoded(convert(noise(400, 600), "a.jpg")).size == (304, 456)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90°
    assert decoded(convert(noise(80, 60), "b.jpg", exif=exif)).size == (60, 80)


def test_half_a_jpeg_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    noise(80, 60).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="image rose must decode wholly"):
        to_jpeg(source(path))


def test_no_image_at_all_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(DataError, match="rose"):
        to_jpeg(source(tmp_path / "a.jpg"))


@pytest.mark.parametrize("size", [(1, 1), (7, 100)])
def test_tiny_images_are_refused(convert, size):
    with pytest.raises(DataError, match=f"rose is {size[0]}×{size[1]}"):
        convert(Image.new("RGB", size))


def test_decompression_bombs_are_refused(convert, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="image rose must be of sane size"):
        convert(Image.new("RGB", (40, 40)))  # a warning of Pillow
    with pytest.raises(DataError, match="image rose must be of sane size"):
        convert(Image.new("RGB", (100, 100)))  # an error of Pillow


def test_sixteen_bits_are_refused(convert):
    with pytest.raises(DataError, match="8 bits"):
        convert(Image.fromarray(np.zeros((20, 20), np.uint16)))
