"""Before any of our modules is imported: one thread, and shapes checked at run time."""

import os
import signal
from collections.abc import Iterator
from unittest import mock

# Must stand before torch is imported: tests share the machine with others, and small tensors
# gain nothing from threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from jaxtyping import install_import_hook

# Modules with shape annotations that exist at run time. The losses import torch lazily, and the
# experiment not at all: they are left out.
TYPED = [
    "data_shards.batches",
    "data_shards.logmel",
    "data_shards.stream",
    "trainables.image_encoder",
    "trainables.image_encoders",
    "trainables.metrics",
    "trainables.model",
    "trainables.ranking",
    "trainables.speech_encoders",
]

install_import_hook(TYPED, "beartype.beartype")

# The jobs that a script runs in the background ignore Ctrl-C, those of `nohup` the closing of the
# terminal, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

pytest_plugins = ["tests.browser", "tests.s3"]

# Files that take minutes: one of them begun last would keep one of two workers waiting.
LONGEST = [
    "test_random_kills.py",
    "test_real_flowers.py",
    "test_jobs_run.py",
    "test_kills.py",
    "test_storage.py",
    "test_data.py",
    "test_memory.py",
    "test_search_stops.py",
    "test_spread.py",
    "test_packed_gpus.py",
    "test_secrets.py",
    "test_built_in_data.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, in this order; the others as they were collected."""
    items.sort(key=lambda item: [*LONGEST, item.path.name].index(item.path.name))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Derived data of tests goes to a temporary folder, never into the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VFSEL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def _environment_as_it_was() -> Iterator[None]:
    """What commands set in the tests' own process (Ray's settings, say) ends with a test."""
    with mock.patch.dict(os.environ):
        yield


_by_test = pytest.fixture(autouse=True)(_environment_as_it_was)
_by_file = pytest.fixture(autouse=True, scope="module")(_environment_as_it_was)
