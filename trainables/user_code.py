"""Python files of the user's own: read, and run, with every error as one line with its place.

Only what a person names on the command line is run, or a text whose digest they so named. It is
run from the text that was read, never from a compiled file beside it: what is hashed is what runs.
"""

import ast
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType

from data_shards.errors import DataError, UsageError

LARGEST = 2**20  # bytes; this project's own files are smaller
MEND = "mend it and run the same command again."


def read(path: Path) -> str:
    """The text of a Python file, whose name is an identifier and so can name what it defines.

    Raises:
        UsageError: it is missing, too large, no text, or no Python.
    """
    check_name(path.name)
    try:
        content = path.read_bytes()
        text = content.decode()
    except OSError as error:
        raise UsageError(
            f"{path} must be a Python file, but cannot be read ({error.strerror}): give its path, "
            "or make one by `python -m orchestrator new`."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} must be text in UTF-8, but is not: save it so.") from error
    if len(content) > LARGEST:
        raise UsageError(f"{path} must be at most {LARGEST} bytes, but has {len(content)}.")
    parse(text, shown=str(path))
    return text


def check_name(name: str) -> None:
    """Whether a file's name can name what it defines.

    Raises:
        UsageError: it is no identifier.
    """
    if not re.fullmatch(r"[A-Za-z_]\w*\.py", name, re.ASCII):
        raise UsageError(f"a file of your own must be named like my_file.py, but got {name}.")


def parse(text: str, *, shown: str) -> ast.Module:
    """The syntax tree; nothing is run. `shown` is the file's name in messages.

    Raises:
        UsageError: it is no Python.
    """
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise UsageError(f"{shown}:{error.lineno}: {error.msg}: {MEND}") from error
    except ValueError as error:  # a null byte
        raise UsageError(f"{shown}: {error}: {MEND}") from error


def run(text: str, *, name: str, shown: str) -> ModuleType:
    """The module that a text makes.

    Raises:
        UsageError: it raises an error.
    """
    spec = importlib.util.spec_from_loader(name, _Loader(text, shown))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there for the module of a class
    with explained(shown):
        spec.loader.exec_module(module)
    return module


class _Loader(InspectLoader):
    """Loads a module from a text."""

    def __init__(self, text: str, shown: str) -> None:
        self._text, self._shown = text, shown

    def get_source(self, fullname: str) -> str:
        return self._text

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._text, self._shown)


@contextmanager
def explained(shown: str) -> Iterator[None]:
    """An error of the user's code as one line with the last place in their file.

    Raises:
        UsageError: in the place of any error but those that have their line already.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == shown]
        place = f"{shown}:{lines[-1]}" if lines else shown
        kind = "" if isinstance(error, UsageError | DataError) else f"{type(error).__name__}: "
        said = " ".join(str(error).split()).rstrip(".")
        raise UsageError(f"{place}: {kind}{said}: {MEND}") from error
