"""Where a node keeps what can be computed or fetched again."""

import os
from pathlib import Path

from data_shards.errors import UsageError

LIMIT = "VFSEL_CACHE_GB"
DEFAULT_GB = 50.0


def cache_folder() -> Path:
    """`$VFSEL_CACHE` of this process' node, else ~/.cache/vfsel.

    Asked where the cache is used, never sent from one node to another: homes and disks differ.
    """
    return Path(os.environ.get("VFSEL_CACHE") or Path.home() / ".cache" / "vfsel").absolute()


def shard_limit() -> int:
    """How many bytes kept shards may take: $VFSEL_CACHE_GB of this node, times 10⁹.

    Raises:
        UsageError: it is not a number above 0.
    """
    text = os.environ.get(LIMIT, str(DEFAULT_GB))
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < float("inf"):
        raise UsageError(f"{LIMIT} must be a number of gigabytes > 0, but is {text!r}.")
    return int(gigabytes * 1e9)
