"""The members of a shard, and nothing else: a strict reader of what our packer writes.

A tar file can say far more than a shard needs: links, devices, sparse files that unpack to
terabytes, chains of extended headers, compression. Python's `tarfile` follows all of it; here it is
refused. Nothing is copied but the members' own bytes, so that memory is bounded by the file's size.
"""

import re
import tarfile
from collections.abc import Iterator

KINDS = "jpg, flac, json"
_NAME = re.compile(r"[A-Za-z0-9_-]+\.(jpg|json|\d{1,4}\.flac)")
_BLOCK = 512
_REGULAR = b"0\0"  # type flags of a file with its bytes in one piece


class ForeignMember(Exception):  # noqa: N818 (caught and put into words by its readers)
    """A tar member that we do not write."""

    def __init__(self, name: str) -> None:
        super().__init__(f"must hold only {KINDS} members, but has {name!r}")


def members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the members in order.

    Raises:
        ForeignMember: one is no regular file, or its name none of ours.
        tarfile.ReadError: the file is cut short, or no tar file.
    """
    place = 0
    while any(header := content[place : place + _BLOCK]):
        name, size = _parsed(header)
        start = place + _BLOCK
        if start + size > len(content):
            raise tarfile.ReadError(f"{name} ends early")
        yield name, content[start : start + size]
        place = start + -(-size // _BLOCK) * _BLOCK
    if len(header) < _BLOCK:
        raise tarfile.ReadError("it has no end")


def _parsed(header: bytes) -> tuple[str, int]:
    if len(header) < _BLOCK:
        raise tarfile.ReadError("a header ends early")
    blank = header[:148] + b" " * 8 + header[156:]
    if sum(blank) != _octal(header[148:156]):
        raise tarfile.ReadError("a header has another check sum")
    name = header[:100].partition(b"\0")[0].decode("ascii", errors="backslashreplace")
    if header[156] not in _REGULAR or any(header[345:500]) or not _NAME.fullmatch(name):
        raise ForeignMember(name)
    return name, _octal(header[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]+", digits):  # int() takes a sign; others write sizes in binary
        raise tarfile.ReadError("a header has no number where one must be")
    return int(digits, 8)
