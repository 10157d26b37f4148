"""One small data set and one trained trial for all tests of pictures."""

import pytest

from orchestrator.storage import Storage
from tests import made
from tests.orchestrator.pictures import tiny


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("pictured") / "tones")


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    return Storage(str(tmp_path_factory.mktemp("explained") / "runs"))


@pytest.fixture(scope="session")
def trial(storage, tones):
    return tiny.explained(storage, tones)
