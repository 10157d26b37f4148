"""What can be searched."""

import pytest

from data_shards.errors import UsageError
from search_spaces.search import Range, Search


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2, 1), (1, 1), (-1, 1), (1, float("inf"))])
def test_a_range_is_positive_and_finite(low, high):
    with pytest.raises(UsageError, match="0 < low < high"):
        Range(low, high)


def test_optional_fields_are_searched_if_asked():
    search = Search({"gamma": Range(1, 100)}, optional={"image_attention": ["none", "B3"]})
    assert search.fields == ["gamma"]
    assert list(search.with_also([])) == ["gamma"]
    assert search.with_also(["image_attention"])["image_attention"] == ["none", "B3"]
    with pytest.raises(UsageError, match="--also must be one of .*Did you mean 'image_attention'"):
        search.with_also(["image_atention"])
