"""`python -m orchestrator` (also `vfsel`): runs a command, turns errors into one line each."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from data_shards.errors import DataError, UsageError
from orchestrator.cli import cli

USAGE, FAILURE, INTERRUPTED = 2, 1, 130
STOPS = (signal.SIGTERM, signal.SIGHUP)
"""A job being stopped, a terminal being closed: they end as cleanly as Ctrl-C."""


def main() -> NoReturn:
    """Run the command line; exit code 0 ok, 1 failure, 2 usage, 130 interrupted."""
    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` leaves it
            signal.signal(number, _terminate)
    code = _run()
    for number in (signal.SIGINT, *STOPS):  # another one has nothing left to tidy up
        signal.signal(number, lambda *_: os._exit(code))
    sys.exit(code)


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False)
    except UsageError as error:
        return _say(str(error), USAGE)
    except (DataError, OSError) as error:
        return _say(str(error), FAILURE)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted; nothing is lost: the same command goes on.", INTERRUPTED)
    except Exception as error:
        return _ray_failed(error)
    return code if isinstance(code, int) else 0


def _ray_failed(error: Exception) -> int:
    """Ours that came through Ray, or Ray's own; anything else is a bug and keeps its traceback."""
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    for each in causes:
        if isinstance(each, UsageError | DataError):
            return _say(str(each), USAGE if isinstance(each, UsageError) else FAILURE)
    if isinstance(causes[-1], OSError):  # the books of a search are written within Ray Tune
        return _say(str(causes[-1]), FAILURE)
    if not type(error).__module__.startswith("ray."):
        raise error
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return _say(f"Ray failed: {said} Nothing is lost: the same command goes on.", FAILURE)


def _say(message: str, code: int) -> int:
    click.echo(f"error: {message}" if code != INTERRUPTED else message, err=True)
    return code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Be interrupted, as by Ctrl-C."""
    signal.alarm(0)  # a Ray that has just started may have set one, to abort us in 3 s
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
