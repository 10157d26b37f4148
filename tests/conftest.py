"""Before any of our modules is imported: one thread, and shapes checked at run time."""

import os
import signal
from collections.abc import Iterator

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

# The jobs that a script runs in the background ignore Ctrl-C, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.browser", "tests.s3"]


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Derived data of tests goes to a temporary folder, never into the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VFSEL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
