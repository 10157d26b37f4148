from collections import Counter

import pytest

from data_shards.datasets.text_c10 import captions, split
from data_shards.errors import DataError

IDS = {"rose": 1, "lily": 2, "aster": 3}


def lists(folder, train=None, test=None):
    for name, content in (("trainvalclasses.txt", train), ("testclasses.txt", test)):
        if content is not None:
            (folder / name).write_text(content)
    return split(folder, ids=IDS, thesis_test=["rose", "orchid"])


def test_the_thesis_split_without_lists(tmp_path):
    assert lists(tmp_path) == ([2, 3], [1], "the thesis' split")


def test_lists_where_present(tmp_path):
    assert lists(tmp_path, "aster\nrose\n", "lily\n") == ([1, 3], [2], "its class lists")


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ("rose\n", None, r"pairs, but .*/testclasses.txt is missing"),
        (None, "rose\n", r"pairs, but .*/trainvalclasses.txt is missing"),
        ("rose\norchid\n", "lily\n", r"trainvalclasses.txt .* such as aster, but has 'orchid'"),
        ("rose\nlily\n", "lily\naster\n", r"disjoint, .* share 2\.$"),
        ("", "lily\nrose\naster\n", r"training and test classes, but .* has 0 and 3\.$"),
        ("rose\n", "lily\n", r"every class must be in .*, but 3 is in neither \(1 in all\)"),
    ],
)
def test_bad_lists(tmp_path, train, test, message):
    with pytest.raises(DataError, match=message):
        lists(tmp_path, train, test)


def test_captions_a_line_each(tmp_path):
    (tmp_path / "bird.txt").write_bytes(b" a b\xffrd \n\nred\n")
    skipped = Counter()
    assert captions(tmp_path / "bird.txt", skipped=skipped) == ("a b\ufffdrd", "red")
    assert skipped == {"blank caption lines": 1}
