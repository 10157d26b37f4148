"""What a node finds when it is asked whether it sees storage and data."""

import socket

import pytest

from orchestrator.storage import Storage
from orchestrator.visibility import look
from tests import made


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


def test_a_node_sees_both_or_says_what_it_does_not_see(data, tmp_path):
    host, nowhere = socket.gethostname(), str(tmp_path / "nowhere")
    with Storage(str(tmp_path / "runs")).probe() as probe:
        assert look(probe, data.folder, data.manifest.hash) == ("", host)
        assert look(nowhere, data.folder, data.manifest.hash) == ("storage", host)
        assert look(probe, nowhere, data.manifest.hash) == ("data", host)
        assert look(probe, data.folder, "another") == ("data", host)
    assert look(probe, data.folder, data.manifest.hash) == ("storage", host)
    assert not list((tmp_path / "runs").iterdir())
