"""Ray's settings that stand in the environment; to be set before Ray is imported."""

import os
import secrets

from data_shards.errors import UsageError

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


def set_token() -> None:
    """Give the Ray that is about to be started here a token, without which no process joins it.

    A local `ray.init` asks for one by itself, but would keep it in `~/.ray`, which must then be
    writable, in a file that all users of the machine may read. Ours lives as long as its Ray.

    Raises:
        UsageError: the environment opens Ray to other machines, and turns the token off.
    """
    alone = os.environ.get("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER") == "0"
    if not alone and os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        raise UsageError(
            "Ray must ask for a token where other machines reach it, but RAY_AUTH_MODE is "
            f"{os.environ['RAY_AUTH_MODE']!r}: unset it, or RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER, "
            "which keeps Ray on loopback."
        )
    if not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
