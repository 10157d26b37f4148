"""Whose captions take part, worked by hand."""

from collections import Counter

import pytest

from data_shards.voices import ALL, Voices, divide

SPOKEN_BY = ["b", "d", "a", "b"]


@pytest.mark.parametrize(
    ("count", "unheard"), [(3, 1), (4, 1), (5, 1), (6, 2), (8, 2), (10, 3), (100, 25)]
)
def test_the_last_quarter_is_unheard(count, unheard):
    voices = [f"voice {number}" for number in range(count)]
    heard, last = divide(voices)
    assert [*heard, *last] == voices
    assert len(last) == unheard


def test_all_captions_by_default_some_voices_otherwise():
    assert ALL.captions("image", SPOKEN_BY) == [0, 1, 2, 3]
    assert Voices(("b",)).captions("image", SPOKEN_BY) == [0, 3]
    assert Voices(("d", "a")).captions("image", SPOKEN_BY) == [1, 2]
    assert Voices(("c",)).captions("image", SPOKEN_BY) == []


def test_an_image_without_the_voice_that_must_be_beside_has_none():
    assert Voices(("b", "d"), beside="a").captions("image", SPOKEN_BY) == [0, 1, 3]
    assert Voices(("b", "d"), beside="c").captions("image", SPOKEN_BY) == []


def test_one_caption_is_drawn_for_each_image_and_seed():
    drawn = {seed: Voices(("b", "a"), seed=seed) for seed in range(2)}
    images = [f"image {number}" for number in range(300)]
    found = {seed: [d.captions(i, SPOKEN_BY) for i in images] for seed, d in drawn.items()}
    assert found[0] != found[1]
    assert found[0] == [drawn[0].captions(image, SPOKEN_BY) for image in images]
    counts = Counter(number for (number,) in found[0])
    assert set(counts) == {0, 2, 3}
    assert all(60 < count < 140 for count in counts.values())  # 100, sd 8
    assert Voices(("c",), seed=0).captions("image", SPOKEN_BY) == []


def test_what_is_missing_is_one_line_that_says_how_to_pack():
    error = str(Voices(("a", "b", "c", "d", "e")).missing("an image of the test split"))
    assert error.startswith("an image of the test split must have a caption in a, b, c, d, …, but")
    assert "--captions V --voices V" in error
    assert "\n" not in error
