"""No secret in what is said of MLflow's errors."""

import pytest

from orchestrator.tracking_errors import said
from orchestrator.tracking_uri import parse

URI = parse("https://ada:planted%40word@host:5000")


@pytest.mark.parametrize("before", ["", "x " * 90, "x" * 190])
@pytest.mark.parametrize("form", ["ada:planted%40word", "planted%40word", "planted@word"])
def test_neither_whole_nor_cut_is_a_password_said(before, form):
    text = said(OSError(f"{before}https://{form}@host gave nothing"), URI)
    assert "planted" not in text
    assert len(text) < 250


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"])
def test_those_of_the_environment_are_hidden_too(variable, monkeypatch):
    monkeypatch.setenv(variable, "planted-token")
    text = said(OSError("401\nfor Bearer planted-token"), parse("http://host:5000"))
    assert text == "OSError: 401 for Bearer ***"


def test_no_answer_is_said_in_plain_words():
    text = "API request to https://ada:planted@host failed with exception Timeout(planted)"
    assert said(OSError(text), URI) == "it cannot be reached"
