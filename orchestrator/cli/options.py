"""Options that several commands share, and what they turn into."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_shards import files
from data_shards.errors import UsageError, unknown
from orchestrator import job_folder
from orchestrator.cli import data_sets

if TYPE_CHECKING:
    from data_shards.manifest import Data
    from orchestrator.planning import Question

Command = Callable[..., Any]


def _lasting(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """In a Ray job, a location that is not lost with it."""
    if value is not None and job_folder.inside_job():
        job_folder.check_lasting(option.opts[0], value)
    return value


def _lasting_data(
    context: click.Context, option: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """The same for each data set."""
    for text in value:
        _lasting(context, option, data_sets.place(text))
    return value


def own_sweep(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """The NAME of a sweep; a file of one's own is loaded, so that its name is known from here on.

    Raises:
        UsageError: the file is missing, or its code fails.
    """
    from search_spaces import own

    if value is None or not own.is_path(value):
        return value
    from search_spaces.sweep import load

    return load(value).name


def storage_option(command: Command) -> Command:
    """`--storage`: where results are."""
    return click.option(
        "--storage", default="runs", show_default=True, callback=_lasting,
        help="Results: a folder or fsspec URI.",
    )(command)  # fmt: skip


def tracking_option(command: Command) -> Command:
    """`--tracking-uri`: where MLflow is."""
    return click.option(
        "--tracking-uri", default="sqlite:///mlflow.db", show_default=True, callback=_lasting,
        help="MLflow: sqlite:///FILE or http(s)://SERVER.",
    )(command)  # fmt: skip


def weights_option(command: Command) -> Command:
    """`--weights`: where published weights are; "" for a download."""
    return click.option(
        "--weights", default="", callback=_folder, metavar="DIR",
        show_default="$VFSEL_WEIGHTS of each node",
        help="Folder of published weights, seen by every node, instead of a download.",
    )(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """`--json`: for machines."""
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for machines.")(
        command
    )


def question_options(command: Command) -> Command:
    """What makes a sweep a question of some data."""
    for option in reversed(
        [
            click.option("--data", multiple=True, callback=_lasting_data,
                         show_default="the built-in set", metavar="[NAME=]PLACE",
                         help="A packed data set; repeat it to ask of several."),
            click.option("--preset", default="demo", show_default=True, help="demo or thesis."),
            click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE",
                         help="Any field of the experiment; repeat it."),
            click.option("--seeds", default=1, show_default=True, help="Replicates a cell."),
            click.option("--cache-limit", default=50.0, show_default=True, metavar="GB",
                         callback=_positive, help="Derived features that a node may keep."),
        ]
    ):  # fmt: skip
        command = option(command)
    return storage_option(command)


def run_options(command: Command) -> Command:
    """What a sweep runs with: where it is tracked, what a trial may use."""
    for option in reversed(
        [
            tracking_option,
            trial_options,
            click.option("--checkpoint-every", default=1, type=click.IntRange(min=1),
                         show_default=True, metavar="EPOCHS",
                         help="A kill costs a trial at most so many epochs."),
            click.option("--autoscale", is_flag=True,
                         help="Wait for nodes that the cluster has yet to start."),
            click.option("--max-failures", default=1, type=click.IntRange(min=0),
                         show_default=True,
                         help="Retries of a trial whose process or storage failed."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def trial_options(command: Command) -> Command:
    """What a trial may use, and how many run at once."""
    for option in reversed(
        [
            click.option("--cpus-per-trial", default=1.0, show_default=True,
                         help="Fractions allowed."),
            click.option("--gpus-per-trial", default="0", show_default=True, callback=_gpus,
                         metavar="NUMBER|auto",
                         help="Fractions allowed; auto: as many trials a GPU as fit its memory."),
            click.option("--max-concurrent", default=0,
                         help="Trials at once (default: as many as fit)."),
            click.option("--loader-workers", default=0, show_default=True,
                         help="Processes that decode."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def budget_options(command: Command) -> Command:
    """What a plan may cost, and how that is known."""
    for option in reversed(
        [
            click.option("--budget", metavar="10gpuh|2h",
                         help="Run what so many GPU-hours, or so long a time, suffice for."),
            click.option("--probe", is_flag=True,
                         help="Train a little of each kind of trial to tell what they take."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def _folder(context: click.Context, option: click.Parameter, value: str) -> str:
    """A folder, no URI; whether it is there is asked where it is needed."""
    if "://" in value:
        raise UsageError(f"{option.opts[0]} must be a folder, but got {files.shown(value)!r}.")
    return value and str(_lasting(context, option, value))


def _positive(context: click.Context, option: click.Parameter, value: float) -> float:
    """A size above 0."""
    if not 0 < value < float("inf"):
        raise UsageError(f"{option.opts[0]} must be > 0, but got {value:g}.")
    return value


def _gpus(context: click.Context, option: click.Parameter, value: str) -> "float | str":
    """A number, or `auto`."""
    return value if value == "auto" else float(click.FLOAT(value, option, context))


def all_questions(
    *,
    data: tuple[str, ...],
    preset: str,
    settings: tuple[str, ...],
    seeds: int,
    cache_limit: float,
) -> dict[str, "Question | UsageError"]:
    """The questions of all sweeps but searches, whose trials are not known beforehand; in the place
    of a question, why this data cannot serve it.

    Raises:
        UsageError: a wrong option, or data that can serve none.
    """
    from orchestrator.planning import ask
    from search_spaces.search import Search
    from search_spaces.sweep import load, names
    from trainables.presets import PRESETS

    if preset not in PRESETS:
        raise unknown("--preset", preset, sorted(PRESETS))
    values = parse_settings(settings)
    sweeps = [sweep for sweep in map(load, names()) if not isinstance(sweep.design, Search)]
    for sweep in sweeps:
        sweep.base(PRESETS[preset], values)
    packed = data_sets.open_one(data)
    asked: dict[str, Any] = {"settings": values, "seeds": seeds, "cache_limit": cache_limit}
    found: dict[str, Question | UsageError] = {}
    for sweep in sweeps:
        try:
            found[sweep.name] = ask(sweep, preset=PRESETS[preset], data=packed, **asked)
        except UsageError as error:
            found[sweep.name] = error
    errors = [error for error in found.values() if isinstance(error, UsageError)]
    if len(errors) == len(found):
        raise errors[0]
    return found


def questions(
    *,
    name: str,
    data: tuple[str, ...],
    preset: str,
    settings: tuple[str, ...],
    seeds: int,
    cache_limit: float,
) -> list[tuple["Question", "Data"]]:
    """The question that the options ask, of each data set; all checked before any is asked."""
    from orchestrator.planning import ask
    from search_spaces.sweep import load
    from trainables.presets import PRESETS

    sweep = load(name)
    if preset not in PRESETS:
        raise unknown("--preset", preset, sorted(PRESETS))
    values = parse_settings(settings)
    sweep.base(PRESETS[preset], values)  # a wrong field is said before any data is made
    asked: dict[str, Any] = {"settings": values, "seeds": seeds, "cache_limit": cache_limit}
    return [
        (ask(sweep, preset=PRESETS[preset], data=packed, **asked), packed)
        for packed in data_sets.open_all(data)
    ]


def check_weights(folder: str) -> None:
    """Say a wrong `--weights` before any trial does; "" is none.

    Raises:
        UsageError: it is no folder of this machine.
    """
    if folder and not Path(folder).is_dir():
        raise UsageError(
            f"--weights must be a folder of weight files, but {folder} is none: make it, and put "
            "there what the trials ask for."
        )


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """`("gamma=13",)` → `{"gamma": "13"}`."""
    pairs = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set must be FIELD=VALUE, but got {setting!r}.")
        pairs[name.strip()] = value.strip()
    return pairs
