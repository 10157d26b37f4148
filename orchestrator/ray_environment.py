"""Ray's settings that stand in the environment; to be set before Ray is imported."""

import os

ALWAYS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the records are ours
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # so is Ctrl-C
    "RAY_USAGE_STATS_ENABLED": "0",  # no network unasked
    "RAY_AIR_NEW_OUTPUT": "0",
}
# Ray listens on all addresses of a node that could be part of a cluster. This is its own switch
# (named for the systems where it is off) that makes a node a lone one, on 127.0.0.1.
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def set_environment() -> None:
    """Set what the user has not set; without `RAY_ADDRESS` Ray is started here, on loopback."""
    settings = ALWAYS if os.environ.get("RAY_ADDRESS") else ALWAYS | ALONE
    for name, value in settings.items():
        os.environ.setdefault(name, value)
