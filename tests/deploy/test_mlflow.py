"""deploy/mlflow.md: options, variables and settings that MLflow has."""

import configparser
import io
import re
from importlib.util import find_spec
from pathlib import Path

from tests.deploy.deployed import ROOT, mlflow_server, text


def test_mlflow_knows_every_option_and_variable_that_is_named():
    from mlflow import environment_variables
    from mlflow.cli import cli as mlflow

    (line,) = re.findall(r"^mlflow server .+$", text("mlflow.md"), re.MULTILINE)
    assert mlflow_server(line)["app_name"] == "basic-auth"
    server = mlflow.commands["server"].params
    options = {option for each in server for option in (*each.opts, *each.secondary_opts)}
    described = re.findall(r"^\| `(--[\w-]+)", text("mlflow.md"), re.MULTILINE)
    assert described
    assert set(described) <= options
    known = {each.envvar for each in server} | set(vars(environment_variables))
    for name in ("mlflow.md", "rayjob.yaml"):
        named = set(re.findall(r"\bMLFLOW_\w+", text(name)))
        assert named
        assert named <= known, named - known


def test_the_authentication_file_has_settings_that_mlflow_knows():
    (ours,) = re.findall(r"```ini\n(.*?)```", text("mlflow.md"), re.DOTALL)
    found = configparser.ConfigParser()
    found.read_file(io.StringIO(ours))
    shipped = Path(find_spec("mlflow").origin).parent / "server" / "auth" / "basic_auth.ini"
    known = set(re.findall(r"^(?:# )?(\w+) = ?", shipped.read_text(), re.MULTILINE))
    assert set(found["mlflow"]) <= known


def test_files_that_the_page_names_exist():
    named = re.findall(r"`(deploy/[\w.]+)`", text("mlflow.md"))
    assert named
    for target in named:
        assert (ROOT / target).exists(), target
