"""Remote storage (`s3://`, `gs://`, `http(s)://`): one client a process, patience, plain words.

A network fails, so every operation is repeated here, for RETRY_SECONDS, on what passes by itself:
lost connections, timeouts, throttling, errors of the server. Nothing else is: a missing bucket or
a denied access is said at once. The libraries' own retries are turned down, since they multiply:
botocore sends a request 5 times, s3fs asks botocore 5 times, and for reading 5 times again. At an
endpoint that hangs, with 15 s of waiting for an answer, that is half an hour of silence.
"""

import functools
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import fsspec

from data_shards.errors import NetworkError, UsageError

Result = TypeVar("Result")

RETRY_SECONDS = 120.0  # a server that is restarted, or a network that is away, for a minute
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0  # seconds

_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {"retries": {"total_max_attempts": 2}},  # for a part of a long upload
        # One GET a file, never several ranges of it: a file replaced meanwhile is not read mixed.
        "max_concurrency": 1,
        "use_listings_cache": False,  # other processes write there
    },
    "http": {"use_listings_cache": False},
    "https": {"use_listings_cache": False},
    "gs": {"use_listings_cache": False},
}
SCHEMES = tuple(_OPTIONS)
_PACKAGES = {"gs": "gcsfs"}  # all others come with the extra
_EXTRA = "'vfsel-orchestrator[cluster]'"

# Names of classes, so that neither botocore nor aiohttp need be installed to tell.
_PASSING = {
    "HTTPClientError", "ConnectionError", "ClientConnectionError", "ClientPayloadError",
    "TimeoutError", "IncompleteRead", "IncompleteReadError", "ResponseParserError",
}  # fmt: skip
_LASTING = {"SSLError", "ClientSSLError"}
_PASSING_STATUS = {429, 500, 502, 503, 504}
_PASSING_CODES = {
    "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded",
    "OperationAborted", "ConditionalRequestConflict",  # two who write one file at the same time
}  # fmt: skip
_CREDENTIALS = {
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound",
    "NoAuthTokenError", "TokenRetrievalError", "SSOError", "LoginError",
}  # fmt: skip


@functools.cache
def filesystem(scheme: str, process: int) -> Any:
    """The client of a scheme for a process.

    By process number: s3fs works on a thread, which a fork does not copy. The parent's client is
    kept in the child, unused: if it were dropped, closing it would wait for that thread.

    Raises:
        UsageError: its package is not installed.
    """
    try:
        client = fsspec.filesystem(scheme, **_OPTIONS[scheme])
    except ImportError as error:
        package = _PACKAGES.get(scheme, _EXTRA)
        raise UsageError(
            f"{scheme}:// needs a package that is not installed ({error}): pip install {package}"
        ) from error
    if scheme == "s3":
        client.retries = 1
    return client


def call(operation: Callable[[], Result], *, where: str) -> Result:
    """What a remote operation returns, repeated while its errors are of the passing kind.

    Args:
        where: the location as it may be printed.

    Raises:
        FileNotFoundError: there is no such file; FileExistsError: there is one.
        UsageError: there is no such bucket, or the location is malformed.
        NetworkError: no credentials, no access, or no answer for RETRY_SECONDS.
        OSError: this machine's own trouble, such as a full disk.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    wait = FIRST_WAIT
    while True:
        try:
            return operation()
        except Exception as error:  # each library has errors of its own
            if not _passes(error):
                raise _lasting(error, where) from error
            if time.monotonic() + wait > deadline:
                raise _no_answer(error, where) from error
            if wait == FIRST_WAIT:
                _warn(error, where)
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def _passes(error: Exception) -> bool:
    kinds = _kinds(error)
    if kinds & _LASTING:
        return False
    return bool(
        kinds & _PASSING or _status(error) in _PASSING_STATUS or _code(error) in _PASSING_CODES
    )


def _warn(error: Exception, where: str) -> None:
    print(
        f"warning: {where} does not answer ({_reason(error)}); trying for {RETRY_SECONDS:g} s.",
        file=sys.stderr,
        flush=True,
    )


def _no_answer(error: Exception, where: str) -> NetworkError:
    return NetworkError(
        f"{where} must be reachable, but was not for {RETRY_SECONDS:g} s ({_reason(error)}): check "
        "the network and AWS_ENDPOINT_URL, then run the same command again."
    )


def _lasting(error: Exception, where: str) -> Exception:
    """An error in plain words; one that is not the remote side's stays as it is."""
    if _code(error) == "NoSuchBucket":
        return UsageError(
            f"the bucket of {where} must exist, but does not: make it or name another."
        )
    if _kinds(error) & _CREDENTIALS:
        return NetworkError(
            f"credentials must be set to reach {where}, but are missing or not whole "
            f"({_reason(error)}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    if isinstance(error, PermissionError) or _status(error) in (401, 403):
        return NetworkError(
            f"access to {where} must be allowed, but the server answers {_reason(error)}: check "
            "the credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE) and the rights on the bucket."
        )
    if isinstance(error, ValueError) and "Invalid endpoint" in str(error):
        return UsageError("AWS_ENDPOINT_URL must be http(s)://HOST:PORT, but is something else.")
    if "ParamValidationError" in _kinds(error):
        return UsageError(f"{where} must name a bucket and a path that S3 allows.")
    if _is_remote(error):
        return NetworkError(
            f"{where} must be usable, but the answer is {_reason(error)}: check AWS_ENDPOINT_URL."
        )
    return error


def _is_remote(error: Exception) -> bool:
    if isinstance(error, (FileNotFoundError, FileExistsError)):
        return False
    libraries = {type(each).__module__.partition(".")[0] for each in _chain(error)}
    return bool(libraries & {"aiobotocore", "botocore", "aiohttp", "s3fs", "gcsfs"})


def _reason(error: Exception) -> str:
    """What happened, without the texts: they name URLs, which may hold secrets."""
    return _code(error) or (str(_status(error)) if _status(error) else type(error).__name__)


def _kinds(error: Exception) -> set[str]:
    return {kind.__name__ for each in _chain(error) for kind in type(each).__mro__}


def _code(error: Exception) -> str:
    """S3's word for what went wrong, or nothing."""
    return next((str(answer["Error"].get("Code", "")) for answer in _answers(error)), "")


def _status(error: Exception) -> int:
    """The HTTP status of the answer, or 0."""
    for answer in _answers(error):
        return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    status = getattr(error, "status", None)  # aiohttp
    return status if isinstance(status, int) else 0


def _answers(error: Exception) -> Iterator[dict[str, Any]]:
    for each in _chain(error):
        answer = getattr(each, "response", None)
        if isinstance(answer, dict) and "Error" in answer:
            yield answer


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes: s3fs hides botocore's behind an OSError."""
    while error is not None:
        yield error
        error = error.__cause__
