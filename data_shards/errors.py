"""Errors meant for people: one line with the rule, the value and what to do."""


class UsageError(ValueError):
    """The call is wrong (an unknown name, a value out of range). Exit code 2."""


class DataError(ValueError):
    """Files are not what they must be (cut, changed, missing). Exit code 1."""


class NetworkError(DataError):
    """Remote files cannot be reached, or kept here, now; later they may. Exit code 1."""


class WorkerDied(RuntimeError):  # noqa: N818 (what happened, as failures are classified by it)
    """A process that helps a trial was killed from outside; trying again may help."""


def unknown(kind: str, value: str, known: list[str]) -> UsageError:
    """An error for a name that is not one of `known`, with the nearest guess."""
    import difflib

    close = difflib.get_close_matches(value, known, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return UsageError(f"{kind} must be one of {', '.join(known)}, but got {value!r}.{guess}")
