import pytest

from data_shards.datasets.cutting import cut, described, draw
from data_shards.errors import UsageError


def test_classes_from_first_to_last():
    assert cut([1, 4, 6, 9], classes=(4, 8)) == [4, 6]
    assert cut([1, 4], classes=None) == [1, 4]
    with pytest.raises(UsageError, match="5-8 leaves none of 1-4"):
        cut([1, 4], classes=(5, 8))


def test_a_larger_draw_keeps_a_smaller_one_in_order():
    names = list("abcdefgh")
    drawn = [draw(names, class_id=3, count=count) for count in (2, 5, 20)]
    assert [len(some) for some in drawn] == [2, 5, 8]
    assert set(drawn[0]) < set(drawn[1])
    assert all(some == sorted(some) for some in drawn)
    assert draw(names, class_id=3, count=None) == names
    assert any(draw(names, class_id=other, count=2) != drawn[0] for other in range(4, 8))
    with pytest.raises(UsageError, match="images_per_class must be >= 1, but got 0"):
        draw(names, class_id=3, count=0)


def test_in_words():
    assert described(None, images_per_class=None) == "all classes, all images"
    assert described((2, 9), images_per_class=3) == "classes 2-9, 3 images a class"
