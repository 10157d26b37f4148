"""What may be said of an error of MLflow: one short line without a secret."""

import os
from urllib.parse import unquote

from orchestrator.tracking_uri import TrackingUri

_VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
_LONGEST = 200


def said(error: BaseException, uri: TrackingUri) -> str:
    """The reason in one line; hidden before it is cut, lest half a password be left."""
    text = " ".join(str(error).split())
    if "failed with exception" in text:  # MLflow's wording where there was no answer at all
        return "it cannot be reached"
    for secret in _secrets(uri):
        text = text.replace(secret, "***")
    return f"{type(error).__name__}: {text[:_LONGEST]}"


def _secrets(uri: TrackingUri) -> list[str]:
    """As written and as decoded, the longest first."""
    given = [uri.secret, uri.secret.partition(":")[2]]
    given += [os.environ.get(name, "") for name in _VARIABLES]
    return sorted({form for text in given if text for form in (text, unquote(text))}, key=_longest)


def _longest(text: str) -> tuple[int, str]:
    return -len(text), text
