"""One small data set, other data, and one trained trial for all tests of queries."""

import pytest

from orchestrator.query.trained import find, trained
from orchestrator.storage import Storage
from tests import made
from tests.orchestrator.pictures import tiny


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("queried") / "tones")


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("queried") / "other", per_class=5)


@pytest.fixture(scope="session")
def storage(tones, tmp_path_factory):
    """With one trial, trained on the tones."""
    found = Storage(str(tmp_path_factory.mktemp("queried") / "runs"))
    tiny.run(found, tones)
    return found


@pytest.fixture(scope="session")
def model(storage):
    (trial_id,) = storage.record_ids()
    return trained(storage, find(storage, trial_id))
