"""Damaged and invented files of each kind: only our own errors come out (see `fuzz.py`)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security import readers

FAST = settings(
    max_examples=60, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SEEDS = {reader: readers.seeds(reader) for reader in readers.READERS}
EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8)), min_size=1, max_size=4)
PARTS = [
    b"null", b"-1", b"1e999", b"NaN", b"[" * 3000, b"9" * 5000, b'"\\ud800"', b"{}", b"[]", b"true",
    b'"../x.tar"', b"1.5",
]  # fmt: skip


def edited(content, edits):
    """The bytes with others put over them, here and there."""
    for place, part in edits:
        start = int(place * len(content))
        content = content[:start] + part + content[start + len(part) :]
    return content


@pytest.mark.parametrize("reader", readers.READERS)
@FAST
@given(edits=EDITS, cut=st.floats(0.5, 1.5))
def test_damaged(reader, edits, cut):
    for content in SEEDS[reader]:
        readers.READERS[reader](edited(content, edits)[: int(cut * len(content))])


@pytest.mark.parametrize("reader", readers.READERS)
@FAST
@given(content=st.binary(max_size=2000))
def test_invented(reader, content):
    readers.READERS[reader](content)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part[:8].decode())
@pytest.mark.parametrize("reader", ["manifest", "record"])
def test_every_value_replaced(reader, part):
    """Each value of the right file, in turn."""
    content = SEEDS[reader][0]
    for start in (place + 1 for place, byte in enumerate(content) if byte == ord(":")):
        ends = [end for mark in b",}\n" if (end := content.find(bytes([mark]), start)) > 0]
        readers.READERS[reader](content[:start] + part + content[min(ends) :])


def test_a_sparse_or_chained_tar_costs_no_time():
    block = SEEDS["shard"][0][:512]
    for kind in b"xgLKSV123456":
        header = bytearray(block[:156] + bytes([kind]) + block[157:])
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        readers.read_shard(bytes(header) * 5000)
