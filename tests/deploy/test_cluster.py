"""deploy/cluster.yaml: Ray's schema, EC2's model, the token on every node, no open port."""

import copy
import re
import shlex

import jsonschema
import pytest
import yaml

from tests.deploy.deployed import cluster, project, text, values_of


def prepared(config):
    """What Ray makes of a cluster configuration before it asks the cloud."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(copy.deepcopy(config))
    validate_config(config)
    return config


def test_ray_accepts_the_cluster():
    config = prepared(cluster())
    types = config["available_node_types"]
    assert types["gpu"]["min_workers"] == 0
    assert types["gpu"]["max_workers"] == config["max_workers"] > 0
    assert types["gpu"]["resources"]["GPU"] == 1
    assert types["head"]["resources"] == {"CPU": 0}
    assert "GPU" not in types["head"]["resources"]
    assert types["gpu"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "InstanceMarketOptions" not in types["head"]["node_config"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("idle_timeout",), 1),
        (("head_node_type",), "heads"),
        (("available_node_types", "gpu", "minworkers"), 0),
        (("available_node_types", "gpu", "resources", "GPU"), "one"),
    ],
)
def test_ray_would_refuse_a_mistake_in_the_cluster(path, value):
    config = place = cluster()
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises((jsonschema.ValidationError, ValueError)):
        prepared(config)


def shape_problems(operation, parameters):
    """What EC2's own model, which the client carries, finds wrong."""
    botocore = pytest.importorskip("botocore.session")
    from botocore.validate import ParamValidator

    session = botocore.get_session()
    client = session.create_client(
        "ec2", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    shape = client.meta.service_model.operation_model(operation).input_shape
    return ParamValidator().validate(parameters, shape).generate_report()


@pytest.mark.parametrize("name", ["head", "gpu"])
def test_ec2_knows_every_setting_of_a_node(name):
    node = cluster()["available_node_types"][name]["node_config"]
    counts = {"MinCount": 1, "MaxCount": 1}
    assert shape_problems("RunInstances", node | counts) == ""
    assert "InstancType" in shape_problems("RunInstances", node | counts | {"InstancType": "x"})


def test_the_cluster_is_reached_through_ssh_from_one_address_alone():
    group = cluster()["provider"]["security_group"]
    ports = {(rule["FromPort"], rule["ToPort"]) for rule in group["IpPermissions"]}
    assert ports == {(22, 22)}
    addresses = list(values_of(group, "CidrIp"))
    assert addresses
    assert all(address.endswith("/32") for address in addresses)
    permissions = {"GroupId": "sg-0", "IpPermissions": group["IpPermissions"]}
    assert shape_problems("AuthorizeSecurityGroupIngress", permissions) == ""


def start_commands():
    config = cluster()
    lines = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    return [line for line in lines if "ray start" in line]


def test_every_node_starts_with_the_token_and_the_head_shows_itself_to_nobody():
    from ray.scripts.scripts import start

    head, worker = start_commands()
    assert all(line.count("RAY_AUTH_MODE=token ") == 1 for line in (head, worker))
    options = [
        start.make_context("start", shlex.split(line.partition("ray start ")[2])).params
        for line in (head, worker)
    ]
    assert options[0]["head"]
    assert options[0]["dashboard_host"] == "127.0.0.1"
    assert options[0]["autoscaling_config"] == "/home/ubuntu/ray_bootstrap_config.yaml"
    assert options[1]["address"] == f"$RAY_HEAD_IP:{options[0]['port']}"
    assert cluster()["file_mounts"]["/home/ubuntu/.ray/auth_token"] == "~/.ray/auth_token"


def test_nodes_install_this_project_with_its_constraints():
    (line,) = (each for each in cluster()["setup_commands"] if "pip install" in each)
    folder = line.partition("cd ")[2].split()[0]
    assert cluster()["file_mounts"][folder] == "."
    assert "--constraint constraints.txt" in line
    extras = re.search(r"'\.\[([\w,]+)\]'", line)
    assert set(extras[1].split(",")) <= set(project()["optional-dependencies"])
    assert " boto3" in line, "the autoscaler needs it"


def test_data_and_results_are_not_copied_to_the_nodes():
    shipped = {pattern.strip("/") for pattern in cluster()["rsync_exclude"]}
    job = yaml.safe_load(text("runtime_env.yaml"))["excludes"]
    large = {".git", ".venv", "data", "runs", "mlruns", "mlartifacts", "mlflow.db*"}
    assert large <= shipped
    assert large <= {pattern.strip("/") for pattern in job}
