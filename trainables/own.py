"""The source of a trainable of one's own: its name, digest and parameters. Runs none of it.

Imports no torch: planning reads `DEFAULTS` from the text, as it does of this project's components.
"""

import ast
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from data_shards.errors import UsageError
from trainables import user_code
from trainables.experiment import COMMON, Experiment, check_parameters


@dataclass(frozen=True)
class Source:
    """The text of a file that defines `DEFAULTS` and `train`.

    Raises:
        UsageError: it does not; the message names the file, and the line if there is one.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        functions = [n for n in self._tree.body if isinstance(n, ast.FunctionDef)]
        if "train" not in [function.name for function in functions]:
            raise UsageError(
                f"{self.shown} must define train(settings, *, data, cache, checkpoints, device, "
                "workers), but does not: see `python -m orchestrator new trainable`."
            )
        _ = self.defaults

    @property
    def shown(self) -> str:
        """Its file's name, for messages."""
        return f"{self.name}.py"

    @property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def reference(self) -> str:
        """What `Experiment.trainable` says of it."""
        return f"{self.name}@{self.sha256}"

    @cached_property
    def _tree(self) -> ast.Module:
        return user_code.parse(self.text, shown=self.shown)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Its own parameters, by name: numbers, true or false, text."""
        for node in self._tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(ast.unparse(target) == "DEFAULTS" for target in targets):
                assert isinstance(node, ast.Assign)
                return self._literal(node)
        raise UsageError(
            f"{self.shown} must define DEFAULTS = {{...}}, its own parameters, but does not: "
            "DEFAULTS = {} if it has none."
        )

    def _literal(self, node: ast.Assign) -> dict[str, Any]:
        place = f"{self.shown}:{node.lineno}"
        try:
            found = ast.literal_eval(node.value)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UsageError(f"{place}: DEFAULTS must be a dict of plain values, written out.")
        try:
            check_parameters(found)
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from error
        return found

    def experiment(self, preset: Experiment) -> Experiment:
        """Its experiment: own parameters at their defaults, what all trainables have as preset."""
        common = {name: getattr(preset, name) for name in COMMON}
        return Experiment(trainable=self.reference, own=tuple(self.defaults.items()), **common)


def read(path: Path) -> Source:
    """The source in a file.

    Raises:
        UsageError: it is missing, no Python, or defines no trainable.
    """
    return Source(path.stem, user_code.read(path))
