"""Where a view is cut from the picture: read off a picture whose colours are its coordinates."""

import io

import numpy as np
import pytest
from PIL import Image

from data_shards.views import View


def _jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def _coordinates(width, height):
    """Red runs from 0 to 250 over the width, green over the height."""
    x, y = np.meshgrid(np.linspace(0, 250, width), np.linspace(0, 250, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 128)], axis=-1).astype(np.uint8))


def _span(pixels):
    """(left, right, top, bottom) of a view as shares of the picture."""
    red, green = pixels[0].mean(axis=0) / 250, pixels[1].mean(axis=1) / 250
    return red[0], red[-1], green[0], green[-1]


@pytest.mark.parametrize(("width", "height"), [(320, 256), (256, 320), (256, 256)])
def test_one_is_the_centred_square(width, height):
    pixels = View(128)(_jpeg(_coordinates(width, height)))
    assert (pixels.shape, pixels.dtype) == ((3, 128, 128), np.uint8)
    x, y = (0.5 * 256 / side for side in (width, height))
    assert _span(pixels) == pytest.approx((0.5 - x, 0.5 + x, 0.5 - y, 0.5 + y), abs=0.012)


def test_one_equals_resizing_the_shorter_side_and_cutting_the_centre():
    noise = np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8)
    image = Image.fromarray(noise).resize((320, 256), Image.Resampling.BICUBIC)
    jpeg = _jpeg(image)
    whole = Image.open(io.BytesIO(jpeg)).resize((160, 128), Image.Resampling.BILINEAR)
    expected = np.asarray(whole.crop((16, 0, 144, 128))).transpose(2, 0, 1).astype(int)
    difference = np.abs(View(128)(jpeg).astype(int) - expected)
    assert difference[:, :, 2:-2].max() <= 1  # the outermost see no pixel beyond the cut


def _random_spans(count=200):
    jpeg = _jpeg(_coordinates(304, 304))
    view = View(64, kind="random")
    return np.array([_span(view(jpeg, image_id="a", seed=0, epoch=e)) for e in range(count)])


def test_random_shows_the_same_share_at_places_all_over_the_play():
    left, right, top, bottom = _random_spans().T
    left, right = np.minimum(left, right), np.maximum(left, right)
    share, play = 64 / 76, 12 / 76  # 76 = round(64 · 304 / 256)
    for start, end in ((left, right), (top, bottom)):
        np.testing.assert_allclose(end - start, share, atol=0.025)
        assert start.min() < 0.1 * play + 0.01
        assert start.max() > 0.9 * play - 0.01


def test_random_flips_half_of_the_time_and_only_sideways():
    left, right, top, bottom = _random_spans().T
    assert 70 < int((left > right).sum()) < 130  # of 200
    assert (top < bottom).all()


def test_random_depends_on_seed_epoch_and_image_alone():
    jpeg, view = _jpeg(_coordinates(120, 90)), View(32, kind="random")
    first = view(jpeg, image_id="a", seed=0, epoch=1)
    np.testing.assert_array_equal(first, view(jpeg, image_id="a", seed=0, epoch=1))
    for other in ({"image_id": "b"}, {"seed": 1}, {"epoch": 2}):
        draws = {"image_id": "a", "seed": 0, "epoch": 1} | other
        assert not np.array_equal(first, view(jpeg, **draws))


@pytest.mark.parametrize("kind", ["one", "random"])
@pytest.mark.parametrize(
    "image", [Image.new("L", (40, 30), 90), Image.new("CMYK", (30, 40)), Image.new("RGB", (8, 300))]
)
def test_any_picture_becomes_a_square_in_three_colours(image, kind):
    assert View(32, kind=kind)(_jpeg(image), image_id="a").shape == (3, 32, 32)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6])
def test_a_picture_cut_short_is_an_oserror(kept):
    jpeg = _jpeg(_coordinates(200, 100))
    with pytest.raises(OSError):  # noqa: PT011 (Pillow's texts differ)
        View(32)(jpeg[: int(kept * len(jpeg))])


def test_counted_views_are_a_few_random_ones_that_every_seed_shares():
    jpeg, view = _jpeg(_coordinates(304, 304)), View(64, kind="random", count=3)
    few = [view.nth(jpeg, number, image_id="a") for number in range(view.columns)]
    assert not any(np.array_equal(few[a], few[b]) for a, b in [(0, 1), (0, 2), (1, 2)])
    taken = []
    for seed, epoch in [(seed, epoch) for seed in range(2) for epoch in range(12)]:
        found = view(jpeg, image_id="a", seed=seed, epoch=epoch)
        taken.append([np.array_equal(found, one) for one in few].index(True))
    assert set(taken[:12]) == set(taken[12:]) == {0, 1, 2}
    assert taken[:12] != taken[12:]
    assert not np.array_equal(few[0], view.nth(jpeg, 0, image_id="b"))


def test_each_view_has_a_key_of_its_own():
    assert View(64).columns == 1
    assert View(64, kind="random").columns == 0
    keys = [View(64).key(0), *(View(64, kind="random", count=2).key(n) for n in range(2))]
    assert len(set(keys)) == 3
