"""Derive what the trials of a plan share, without training any."""

from collections.abc import Iterable

import torch

from data_shards.cache_folder import cache_folder
from data_shards.feature_store import Store
from data_shards.manifest import Data
from trainables.allocator import keep_freed_memory
from trainables.data_check import training_classes
from trainables.experiment import Experiment
from trainables.feature_sizes import ColumnSize, column_sizes
from trainables.inputs import Inputs
from trainables.model import DualEncoder


def derive(experiments: Iterable[Experiment], data: Data, shared: str, *, limit: int) -> None:
    """Write the columns of all experiments into this node's cache, each once.

    Args:
        shared: URI under which nodes share columns; "" for none.
        limit: bytes that columns may take in the cache.

    Raises:
        DataError: the data are damaged, or the disk is full.
    """
    keep_freed_memory()
    store = Store(cache_folder(), shared=shared, limit=limit)
    done: set[ColumnSize] = set()
    for experiment in experiments:
        wanted = set(column_sizes(experiment, data.manifest))
        if not wanted <= done:
            classes = len(training_classes(experiment, data.manifest))
            model = DualEncoder(experiment, classes=classes)
            model.to(memory_format=torch.channels_last)
            Inputs(experiment, model, data.cached(store.folder), store).derive()
        done |= wanted
