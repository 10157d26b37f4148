"""Whether a plan's frozen features are cached or computed live, and how large they are."""

from collections.abc import Iterable

from data_shards.errors import UsageError
from data_shards.manifest import Manifest
from trainables.experiment import Experiment
from trainables.feature_sizes import ColumnSize, column_sizes

CACHE_LIMIT = 50.0
"""GB of derived features that a node keeps, if nobody says."""


def fit(
    base: Experiment, experiments: Iterable[Experiment], manifest: Manifest, *, cache_limit: float
) -> Experiment:
    """The base, computed live in all its arms if the features of `experiments` exceed the limit.

    Where they fit, `auto` stays: each trial caches what has views to cache.

    Raises:
        UsageError: they do not fit, and features=cached asks for them.
    """
    need = gigabytes(columns(experiments, manifest))
    if need <= cache_limit or base.features == "live":
        return base
    if base.features == "cached":
        raise UsageError(
            f"features=cached needs {need:.3g} GB, but --cache-limit is {cache_limit:g}: raise "
            "it, or use --set features=live."
        )
    return base.replace(features="live")


def columns(experiments: Iterable[Experiment], manifest: Manifest) -> list[ColumnSize]:
    """The derived columns of some trials together, each once."""
    found = (size for one in experiments for size in column_sizes(one, manifest))
    return list(dict.fromkeys(found))


def gigabytes(sizes: Iterable[ColumnSize]) -> float:
    """What columns take together, 10⁹ bytes."""
    return sum(size.bytes for size in sizes) / 1e9


def told(experiments: Iterable[Experiment], manifest: Manifest, *, cache_limit: float) -> str:
    """One line: how the trials get what is frozen, what it takes, and why it is not cached."""
    experiments = list(experiments)
    if own := sorted({one.model for one in experiments if one.trainable}):
        return f"features: as {', '.join(own)} keeps them, how many is not known beforehand"
    how = " and ".join(sorted({"cached" if one.cached else "live" for one in experiments}))
    size = gigabytes(columns(experiments, manifest))
    line = f"features: {how}, about {size:.2g} GB in each node's cache"
    need = gigabytes(columns(map(_as_if_cached, experiments), manifest))
    if need > max(size, cache_limit):
        line += f" (all cached: {need:.2g} GB, more than --cache-limit {cache_limit:g})"
    return line


def _as_if_cached(experiment: Experiment) -> Experiment:
    return experiment.replace(features="auto")
