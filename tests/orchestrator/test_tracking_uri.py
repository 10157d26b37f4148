"""Tracking URIs: what is allowed, and what is shown of them."""

from pathlib import Path

import pytest

from data_shards.errors import UsageError
from orchestrator import tracking_uri


def test_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is fixed at once: a later change of folder does not move the runs."""
    monkeypatch.chdir(tmp_path)
    found = tracking_uri.parse(tracking_uri.DEFAULT)
    assert found.text == f"sqlite:///{tmp_path}/mlflow.db"
    assert found.artifacts == f"{tmp_path}/mlartifacts"
    assert found.shown == "sqlite:///mlflow.db"
    assert list(tmp_path.iterdir()) == []


def test_server() -> None:
    found = tracking_uri.parse("https://ada:s@cret@host:5000/mlflow/")
    assert found.text == "https://ada:s@cret@host:5000/mlflow"
    assert (found.shown, found.secret) == ("https://host:5000/mlflow/", "ada:s@cret")
    assert found.artifacts is None


@pytest.mark.parametrize(
    "uri",
    ["", "mlruns", "./mlruns", "file:///tmp/x", "sqlite://", "sqlite:///", "sqlite:///:memory:",
     "postgresql://u:secret@h/db", "http://", "http://u:secret@h:port", "http:/host", "ftp://x",
     "http://host:99999", "http://a b:5000", "sqlite:////dev/null/mlflow.db",
     "sqlite:////dev"],
)  # fmt: skip
def test_malformed_uri(uri: str) -> None:
    with pytest.raises(UsageError, match="--tracking-uri") as error:
        tracking_uri.parse(uri)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database at all")
    with pytest.raises(UsageError, match="another file"):
        tracking_uri.parse(f"sqlite:///{tmp_path}/notes.txt")
