"""The members of each kind of component, found by file name, without importing torch.

A component is one file. Its integer `VERSION` is raised when its result changes. Such constants
are read from the source text, since planning must not pay for loading torch.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Any

KINDS = ("losses", "image_encoders", "speech_encoders")
# Parts that components are made of, not components.
_SHARED = {"base", "cbam", "resnet", "torchaudio_front"}


@cache
def names(kind: str) -> list[str]:
    """Names of all components of a kind, e.g. `names("losses")`."""
    folder = Path(__file__).parent / kind
    files = (file.stem for file in folder.glob("*.py") if file.stem != "__init__")
    return sorted(set(files) - _SHARED)


@cache
def constant(kind: str, name: str, constant: str) -> Any:
    """A literal in a component's file, e.g. its `VERSION`, or a class' `channels16`."""
    source = (Path(__file__).parent / kind / f"{name}.py").read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{kind}/{name}.py has no {constant}")
