"""What a command may be given when it runs as a Ray job, in a folder that is a temporary copy."""

import os
from pathlib import PurePosixPath

from data_shards import files
from data_shards.errors import UsageError

_SQLITE = "sqlite:///"
_SEEN = "an absolute path that every node sees"
_FORMS = {
    "--tracking-uri": f"{_SQLITE}/ABSOLUTE/FILE or http(s)://SERVER",
    "--weights": _SEEN,
}


def inside_job() -> bool:
    """Whether this process was started as a Ray job's entrypoint, which alone gets this."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ


def check_lasting(option: str, location: str) -> None:
    """Refuse a location that would be lost with the job.

    Raises:
        UsageError: it is relative to the working folder.
    """
    path = location.removeprefix(_SQLITE)
    if "://" in path or PurePosixPath(path).is_absolute():
        return
    form = _FORMS.get(option, f"a URI such as s3://BUCKET/PATH, or {_SEEN}")
    raise UsageError(
        f"{option} must be {form}, but got {files.shown(location)!r}: a job runs in a temporary "
        "copy of the code, and what it leaves there is lost."
    )


def check_no_secret(option: str, location: str) -> None:
    """Refuse a password on a command line that everyone with a view of the cluster can read.

    Raises:
        UsageError: there is one.
    """
    if files.shown(location) != location:
        raise UsageError(
            f"{option} must hold no password or query in a job, whose command line is shown in "
            f"Ray's dashboard and logs, but {files.shown(location)!r} came with one: set it in the "
            "environment of the nodes (MLFLOW_TRACKING_USERNAME, AWS_PROFILE, …)."
        )
