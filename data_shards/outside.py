"""What comes from outside is believed only once it is checked: JSON texts and their values."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # could move a terminal's cursor
_SHOWN = 60  # characters of a value in a message


def json_value(content: bytes, *, finite: bool = True) -> Any:
    """The value of a JSON text in UTF-8.

    Args:
        finite: whether NaN and infinite numbers are refused.

    Raises:
        ValueError: it is none, is nested too deeply, or holds texts that no file can hold.
    """
    text = content.decode()
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # half a character, unless its other half follows
            json.dumps(value, ensure_ascii=False).encode()
        if finite and any(not math.isfinite(number) for number in _floats(value)):
            raise ValueError("numbers must be finite")
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _floats(part)


def shown(value: object) -> str:
    """A value for a message: on one line, and short."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def count(what: str, value: object, *, most: int) -> None:
    """A number of things.

    Raises:
        ValueError: it is no whole number from 0 to `most`.
    """
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{what} must be a whole number up to {most}, but is {shown(value)}")


def line(what: str, value: object, *, longest: int = 10_000) -> None:
    """A text to be shown.

    Raises:
        ValueError: it is no text, too long, or has control characters.
    """
    if not isinstance(value, str) or len(value) > longest or _CONTROL.search(value):
        raise ValueError(f"{what} must be a line of text, but is {shown(value)}")


def match(what: str, value: object, pattern: str) -> None:
    """A text of a certain form.

    Raises:
        ValueError: it has not this form.
    """
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(f"{what} must match {pattern}, but is {shown(value)}")


def typed(what: str, value: object, kind: type) -> Any:
    """The value, which must be of this type.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, kind):
        raise ValueError(f"{what} must be a {kind.__name__}, but is {shown(value)}")
    return value
