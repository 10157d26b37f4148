"""Options of sweeps that are searches, and what they turn into."""

import math
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import UsageError, unknown
from orchestrator.cli.data_sets import open_one
from orchestrator.cli.options import Command, parse_settings

if TYPE_CHECKING:
    from data_shards.manifest import Data
    from orchestrator.search.question import SearchQuestion
    from orchestrator.tuning import Budget

DEFAULTS: dict[str, Any] = {
    "trials": 30,
    "time_budget": None,
    "sampler": "tpe",
    "pruner": "asha",
    "min_epochs": None,
    "also": (),
    "seed": 0,
    "study": "",
}
_OF_AN_ARM = ("trials", "sampler", "pruner", "min_epochs")
"""What `--tune-first` takes; not `--time-budget`: arms would have unequal numbers of trials."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def search_options(command: Command) -> Command:
    """What only a search takes. Defaults stand in `DEFAULTS`, so that one that is given shows."""
    for option in reversed(
        [
            click.option("--trials", type=int, help="Search: trials in all.  [30]"),
            click.option("--time-budget", metavar="N[s|m|h|d]", help="Search: stop after it."),
            click.option("--sampler", help="Search: tpe, random, gp or cmaes.  [tpe]"),
            click.option("--pruner", help="Search: asha (stops bad trials early) or none.  [asha]"),
            click.option("--min-epochs", type=int, help="Search: no trial is stopped before.  [3]"),
            click.option("--also", multiple=True, metavar="FIELD",
                         help="Search: over this field too; repeat it."),
            click.option("--seed", type=int, help="Search: of sampler and training.  [0]"),
            click.option("--study", help="Search: a name for its books."),
            click.option("--tune-first", is_flag=True,
                         help="Tune each arm on validation classes (--trials, --sampler, --pruner, "
                         "--min-epochs), then compare the arms as tuned, on fresh seeds."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def is_search(name: str) -> bool:
    """Whether the sweep of that name is a search.

    Raises:
        UsageError: there is no such sweep.
    """
    from search_spaces.search import Search
    from search_spaces.sweep import load

    return isinstance(load(name).design, Search)


def take(options: dict[str, Any]) -> dict[str, Any]:
    """Take the search's options that were given out of all that were parsed."""
    found = {name: options.pop(name) for name in DEFAULTS}
    return {name: value for name, value in found.items() if value not in (None, ())}


def tuning(given: dict[str, Any], *, sweep: str) -> "Budget":
    """What each arm of a sweep is tuned with (`--tune-first`).

    Raises:
        UsageError: an option that cannot be.
    """
    from orchestrator.search import samplers
    from orchestrator.search.question import check_choices
    from orchestrator.tuning import Budget

    refuse({name: value for name, value in given.items() if name not in _OF_AN_ARM}, sweep)
    chosen = {name: (DEFAULTS | given)[name] for name in _OF_AN_ARM}
    limits(chosen)
    check_choices(sampler=chosen["sampler"], pruner=chosen["pruner"])
    samplers.check_installed(chosen["sampler"])
    return Budget(**chosen)


def refuse(given: dict[str, Any], sweep: str) -> None:
    """What a sweep does not take: one that is no search, its options; a search, `--tune-first`.

    Raises:
        UsageError: one was given.
    """
    for name in given:
        option = f"--{name.replace('_', '-')}"
        if name == "tune_first":
            raise UsageError(f"--tune-first is for sweeps of arms, but {sweep} is a search itself.")
        also = ", and for --tune-first" if name in _OF_AN_ARM else ""
        raise UsageError(f"{option} is for searches such as tune{also}, but {sweep} is none.")


def check(
    given: dict[str, Any], *, name: str, preset: str, settings: tuple[str, ...], seeds: int
) -> dict[str, Any]:
    """What `ask_search` needs but the data, checked.

    Raises:
        UsageError: an option that cannot be.
    """
    from orchestrator.search.question import check_search
    from search_spaces.sweep import load
    from trainables.presets import PRESETS

    if preset not in PRESETS:
        raise unknown("--preset", preset, sorted(PRESETS))
    if seeds != 1:
        raise UsageError(
            f"a search trains each point once, but got --seeds {seeds}: choose its draws by "
            "--seed, and replicate what it finds with the command that it prints."
        )
    limits(given)
    chosen = DEFAULTS | given
    asked = {key: chosen[key] for key in ("also", "sampler", "pruner", "min_epochs", "seed")}
    asked |= {"name": chosen["study"], "settings": parse_settings(settings)}
    asked["preset"] = PRESETS[preset]
    check_search(load(name), **asked)
    return asked


def search_question(
    given: dict[str, Any], *, name: str, data: tuple[str, ...], cache_limit: float, **options: Any
) -> tuple["SearchQuestion", "Data"]:
    """The search that the options ask, and its data; all checked."""
    from orchestrator.search.question import ask_search
    from search_spaces.sweep import load

    asked = check(given, name=name, **options)  # before any data is made
    packed = open_one(data)
    return ask_search(load(name), data=packed, cache_limit=cache_limit, **asked), packed


def limits(given: dict[str, Any]) -> dict[str, Any]:
    """How long to search: `trials` and `seconds` (None: as long as it takes).

    Raises:
        UsageError: less than one trial, or no time at all.
    """
    chosen = DEFAULTS | given
    if chosen["trials"] < 1:
        raise UsageError(f"--trials must be >= 1, but got {chosen['trials']}.")
    budget = chosen["time_budget"]
    return {"trials": chosen["trials"], "seconds": None if budget is None else _seconds(budget)}


def _seconds(text: str) -> float:
    """`90`, `90s`, `10m`, `2h`, `1d` → seconds."""
    unit = _UNITS.get(text[-1:], 0)
    number = text[:-1] if unit else text
    try:
        seconds = float(number) * (unit or 1)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError(f"--time-budget must be > 0, such as 90, 10m, 2h or 1d, but got {text!r}.")
    return seconds
