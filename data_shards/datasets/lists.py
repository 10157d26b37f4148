"""Text files that list one thing a line, as data sets come with them."""

import re
from pathlib import Path

from data_shards.errors import DataError

Rows = dict[str, tuple[str, ...]]


def rows(path: Path, form: str, *, example: str) -> Rows:
    """The rows of a list by their first field, in order; blank lines are left out.

    Args:
        path: the file.
        form: pattern of a line, a group for each field.
        example: a line as it must be, for messages.

    Raises:
        DataError: the file is missing or empty, a line is malformed, or two have the same first
            field.
    """
    found: Rows = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        match = re.fullmatch(form, line.strip())
        if match is None:
            raise DataError(
                f"{path} must have lines such as {example!r}, but line {number} is {line!r}."
            )
        key, *fields = match.groups()
        if key in found:
            raise DataError(f"{path} must name {key} once, but line {number} does so again.")
        found[key] = tuple(fields)
    if not found:
        raise DataError(f"{path} must have lines such as {example!r}, but has none.")
    return found


def _lines(path: Path) -> list[str]:
    try:
        # only captions have letters beyond ASCII: a damaged one must not stop a whole data set
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError as error:
        raise DataError(f"the data set must hold {path.name}, but {path} is missing.") from error
