import pytest

from data_shards.datasets.lists import rows
from data_shards.errors import DataError


def read(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    return rows(tmp_path / "list.txt", r"(\d+) (\S+) (\S+)", example="1 a b")


def test_rows_by_their_first_field_in_order(tmp_path):
    found = read(tmp_path, b"2 a b\r\n\n1 c d  \n")
    assert list(found.items()) == [("2", ("a", "b")), ("1", ("c", "d"))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 a b\nid left right\n", r"list.txt .* '1 a b', but line 2 is 'id left right'"),
        (b"1 a b c", "line 1 is '1 a b c'"),
        (b"1 a\xffb", "line 1 is"),
        (b"1 a b\n2 a b\n1 a b\n", "must name 1 once, but line 3 does so again"),
        (b"\n", "but has none"),
    ],
)
def test_malformed(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)


def test_missing(tmp_path):
    with pytest.raises(DataError, match=r"must hold none.txt, but .*none.txt is missing"):
        rows(tmp_path / "none.txt", r"(.*)", example="")
