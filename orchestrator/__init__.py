"""Plans, runs, tracks and answers sweeps: the only package that knows Ray, Optuna and MLflow.

`from orchestrator import run, results` is the command line for Python (docs/python.md).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.api import results, run

__all__ = ["results", "run"]


def __getattr__(name: str) -> Any:
    """Import what Python users call only once they do: help must stay instant."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orchestrator import api

    return getattr(api, name)
