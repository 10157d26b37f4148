"""All of deploy/: our command lines parse, no secret, the image; said to be not run."""

import re

import pytest

from orchestrator import tracking_uri
from tests.deploy.deployed import (
    FILES,
    ROOT,
    commands,
    kubernetes,
    of_kind,
    parse,
    project,
    text,
    values_of,
)

NAMES = [path.name for path in FILES]


def our_commands():
    lines = [(name, line) for name in NAMES for line in commands(name)]
    return [*lines, ("rayjob.yaml", of_kind("RayJob")["spec"]["entrypoint"])]


def test_there_are_commands_of_ours():
    assert {name for name, _ in our_commands()} >= {"cluster.yaml", "mlflow.md", "rayjob.yaml"}


@pytest.mark.parametrize(("name", "line"), our_commands())
def test_every_command_of_ours_parses(name, line):
    values = parse(line).params
    if " submit " in line:  # what follows is for `sweep`, in the job
        values = parse(line.replace(" submit ", " sweep ")).params
    if "tracking_uri" in values:
        tracking_uri.parse(values["tracking_uri"])
    if name in ("cluster.yaml", "rayjob.yaml"):  # nodes share no disk
        places = {*values.get("data", ()), *([values["storage"]] if "storage" in values else [])}
        assert all(place.startswith("s3://BUCKET/") for place in places)


SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN|(?:password|token|secret|key)\w*[\"']?\s*[:=]\s*[\"']?"
    r"(?=[A-Za-z+/]*[0-9])[A-Za-z0-9+/]{12,}"
    r"|://[^/\s:]+:(?!PASSWORD@)[^@\s/]+@",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", NAMES)
def test_no_secret(name):
    assert SECRET.search(text(name)) is None


@pytest.mark.parametrize(
    "planted",
    [
        "auth_token: 3q2vDk29xkvjT0aZ", "password = hunter2hunter2", "AKIAABCDEFGHIJKLMNOP",
        "postgresql://user:pw@host/db", "-----BEGIN PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_a_secret_would_be_found(planted):
    assert SECRET.search(planted)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"runtime_env.yaml"}))
def test_each_file_says_that_it_was_not_run(name):
    assert re.search(r"not run on a real cloud|not built so far", text(name), re.IGNORECASE)


def test_the_image_is_pinned_complete_and_not_run_as_root():
    lines = text("Dockerfile").replace("\\\n", " ").splitlines()
    (base,) = (line for line in lines if line.startswith("FROM"))
    version = re.fullmatch(r"FROM python:(\d+)\.(\d+)\.\d+-slim-\w+", base)
    minimum = re.search(r">=3\.(\d+)", project()["requires-python"])
    assert int(version[2]) >= int(minimum[1])
    (install,) = (line for line in lines if "pip install" in line)
    assert "--constraint constraints.txt" in install
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    assert {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"} <= copied
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= copied
    for package in re.findall(r"'?([\w\[\]-]+)==[\d.]+'?", install):
        assert package in ("psycopg[binary]", "Flask-WTF")
    last_user = [line for line in lines if line.startswith("USER")][-1]
    assert last_user == "USER vfsel"
    assert lines.index(last_user) > lines.index(install)
    ids = {context["runAsUser"] for context in values_of(kubernetes(), "securityContext")}
    assert f"--uid {ids.pop()} vfsel" in text("Dockerfile")
    assert not ids
