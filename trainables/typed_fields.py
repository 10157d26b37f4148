"""Values of dataclass fields as the types of the fields."""

import dataclasses
import math
from typing import Any

from data_shards.errors import UsageError


def typed(spec: "dataclasses.Field[Any]", value: Any) -> Any:
    """The value as the field's type; text (from `--set`) is parsed, never evaluated.

    Raises:
        UsageError: it is none of that type.
    """
    kind = spec.type if isinstance(spec.type, type) else {"int": int, "float": float}[spec.type]
    return as_type(spec.name, kind, value)


def as_type(name: str, kind: type, value: Any) -> Any:
    """The value as `kind` (bool, int, float or str); `name` is for messages.

    Raises:
        UsageError: it is none of that type.
    """
    if kind is bool:
        return _boolean(name, value)
    if isinstance(value, bool) or (kind is str and not isinstance(value, str)):
        raise UsageError(f"{name} must be {_article(kind)}, but got {value!r}.")
    try:
        found = kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} must be {_article(kind)}, but got {value!r}.") from error
    if kind is int and found != (float(value) if isinstance(value, str) else value):
        raise UsageError(f"{name} must be {_article(kind)}, but got {value!r}.")
    if kind is float and math.isnan(found):
        raise UsageError(f"{name} must be a number, but got {value!r}.")
    return found


def _article(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "text"}[kind]


def _boolean(name: str, value: Any) -> bool:
    words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise UsageError(f"{name} must be true or false, but got {value!r}.")
