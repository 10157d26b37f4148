"""deploy/rayjob.yaml: fields of the API, names that exist, nothing open beyond the cluster."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.deploy.deployed import (
    kubernetes,
    mlflow_server,
    of_kind,
    parse,
    pinned,
    project,
    text,
    values_of,
)

SCHEMA = json.loads(Path(__file__).with_name("kuberay.schema.json").read_text())


@pytest.mark.parametrize("index", range(len(kubernetes())))
def test_kubernetes_knows_every_field(index):
    jsonschema.validate(kubernetes()[index], SCHEMA)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("headGroupSpec:", "headGroupSpecs:"),
        ("mode: token", "mode: on"),
        ('nvidia.com/gpu: "1"', "nvidia.com/gpus: 1"),
        ("secretKeyRef", "secretRef"),
        ("ttlSecondsAfterFinished: 600", "ttlSecondsAfterFinished: 10m"),
        ("mountPath", "mountpath"),
    ],
)
def test_a_misspelled_field_is_found(old, new):
    changed = text("rayjob.yaml").replace(old, new)
    assert changed != text("rayjob.yaml")
    checker = jsonschema.Draft202012Validator(SCHEMA)
    assert not all(checker.is_valid(each) for each in yaml.safe_load_all(changed))


def made_secrets():
    """The secrets that the comments say how to make, and their keys."""
    made = {}
    for line in re.findall(r"kubectl create secret generic (.+)", text("rayjob.yaml")):
        name, options = line.split(" ", 1)
        made[name] = set(re.findall(r"--from-(?:file|literal)=([\w.]+)", options))
    return made


def test_every_name_that_is_referred_to_exists():
    objects, made = kubernetes(), made_secrets()
    for reference in values_of(objects, "secretKeyRef"):
        assert reference["key"] in made[reference["name"]]
    for volume in values_of(objects, "secret"):
        assert {item["key"] for item in volume["items"]} <= made[volume["secretName"]]
    authentication = of_kind("RayJob")["spec"]["rayClusterSpec"]["authOptions"]
    assert authentication["mode"] == "token"
    assert made[authentication["secretName"]] == {"auth_token"}
    accounts = {each["metadata"]["name"] for each in objects if each["kind"] == "ServiceAccount"}
    assert set(values_of(objects, "serviceAccountName")) == accounts
    for pod in values_of(objects, "template"):
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
        mounted = {m["name"] for each in values_of(pod, "volumeMounts") for m in each}
        assert mounted == volumes


def test_all_run_the_image_of_the_dockerfile():
    (tag,) = re.findall(r"docker build .*--tag (\S+)", text("Dockerfile"))
    assert set(values_of(kubernetes(), "image")) == {tag}
    assert tag.endswith(f":{project()['version']}")
    assert of_kind("RayJob")["spec"]["rayClusterSpec"]["rayVersion"] == pinned("ray")


def test_mlflow_is_where_the_job_looks_for_it():
    service, deployment = of_kind("Service"), of_kind("Deployment")
    (port,) = service["spec"]["ports"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    host = f"{service['metadata']['name']}:{port['port']}"
    assert f" --tracking-uri http://{host} " in of_kind("RayJob")["spec"]["entrypoint"]
    assert deployment["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    assert port["targetPort"] in {each["containerPort"] for each in container["ports"]}
    options = mlflow_server(" ".join(container["command"]))
    assert options["port"] == port["targetPort"]
    assert host in options["allowed_hosts"].split(",")
    assert options["app_name"] == "basic-auth"


def test_nothing_is_open_beyond_the_cluster():
    assert of_kind("Service")["spec"]["type"] == "ClusterIP"
    assert (
        of_kind("RayJob")["spec"]["rayClusterSpec"]["headGroupSpec"]["serviceType"] == "ClusterIP"
    )
    assert {each["kind"] for each in kubernetes()} == {
        "ServiceAccount", "RayJob", "Service", "Deployment",
    }  # fmt: skip
    for name in ("enableIngress", "hostNetwork", "hostPort", "nodePort", "externalIPs"):
        assert not list(values_of(kubernetes(), name))


def test_gpus_are_asked_for_by_the_workers_alone():
    spec = of_kind("RayJob")["spec"]["rayClusterSpec"]
    (group,) = spec["workerGroupSpecs"]
    assert set(values_of(group, "nvidia.com/gpu")) == {"1"}
    assert not list(values_of(spec["headGroupSpec"], "nvidia.com/gpu"))
    assert group["minReplicas"] == group["replicas"] == 0 < group["maxReplicas"]
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    asked = parse(of_kind("RayJob")["spec"]["entrypoint"]).params
    (cpus,) = {int(value) for value in values_of(group, "cpu")}
    assert asked["cpus_per_trial"] * (1 / asked["gpus_per_trial"]) <= cpus


def test_the_job_gets_the_variables_of_the_runtime_environment():
    environment = yaml.safe_load(of_kind("RayJob")["spec"]["runtimeEnvYAML"])
    assert environment["env_vars"] == yaml.safe_load(text("runtime_env.yaml"))["env_vars"]
    assert set(environment) == {"env_vars"}, "the code is in the image"
