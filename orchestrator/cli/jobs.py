"""`submit`."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import DataError, UsageError, unknown
from orchestrator import job_folder
from orchestrator.cli import searches
from orchestrator.cli.data_sets import place
from orchestrator.cli.options import parse_settings
from orchestrator.cli.sweeps import sweep

if TYPE_CHECKING:
    from orchestrator.jobs import Job
    from orchestrator.resources import Resources

DETACHED = 130


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--address", help="The head's dashboard.  [$RAY_API_SERVER_ADDRESS, $RAY_ADDRESS, "
              "or http://127.0.0.1:8265]")  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Do not follow the logs.")
@click.argument("arguments", nargs=-1, metavar="NAME [OPTIONS OF sweep]", type=click.UNPROCESSED)
def submit(address: str | None, no_wait: bool, arguments: tuple[str, ...]) -> int:
    """Run `sweep NAME …` as a job on a Ray cluster, and follow it. Ctrl-C leaves it running.

    Everything that `sweep` takes may follow; --storage, --data, --weights and --tracking-uri must
    be what every node of the cluster sees. The exit code is that of the sweep.
    """
    asked = _check(arguments)
    try:
        from orchestrator import jobs
    except ImportError as error:
        raise UsageError(
            f"submit needs a package that is not installed ({error.name}): "
            "pip install 'vfsel-orchestrator[cluster]'"
        ) from error

    jobs.checkout()
    address = address or jobs.default_address()
    client, job_id = jobs.connect(address), jobs.new_id()
    back = jobs.how_to_return(job_id, address, name=asked["name"], storage=asked["storage"])
    try:
        job = jobs.submit(client, arguments, job_id)
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted while submitting; job {job_id} may run:", err=True)
        click.echo("\n".join(back), err=True)
        return DETACHED
    click.echo(f"job {job.id}", err=True)
    if no_wait:
        click.echo("\n".join(back), err=True)
        return 0
    return _follow(job, back)


def _check(arguments: tuple[str, ...]) -> dict[str, Any]:
    """What `sweep` would be called with; all that is wrong with it and shows without its data.

    Raises:
        UsageError: a value that `sweep` would refuse, or a location that a job has not.
    """
    from orchestrator import tracking_uri
    from orchestrator.resources import Resources

    asked = sweep.make_context("submit", list(arguments)).params
    given = [("data", place(text)) for text in asked["data"]]
    given += [(name, asked[name]) for name in ("storage", "tracking_uri", "weights")]
    for name, location in given:
        if location:
            option = f"--{name.replace('_', '-')}"
            job_folder.check_lasting(option, location)
            job_folder.check_no_secret(option, location)
    if not asked["tracking_uri"].startswith("sqlite:"):  # a file is on the head, not here
        tracking_uri.parse(asked["tracking_uri"])
    wanted = {field.name for field in dataclasses.fields(Resources)} & asked.keys()
    resources = Resources(**{name: asked[name] for name in wanted})
    _check_question(asked, resources)
    return asked


def _check_question(asked: dict[str, Any], resources: "Resources") -> None:
    from orchestrator.search.question import check_resources
    from search_spaces.sweep import load
    from trainables.presets import PRESETS

    _check_shipped(load(asked["name"]).file)
    given, tune_first = searches.take(asked), asked.pop("tune_first")
    if searches.is_search(asked["name"]):
        searches.refuse({"tune_first": True} if tune_first else {}, asked["name"])
        question = {key: asked[key] for key in ("name", "preset", "settings", "seeds")}
        searches.check(given, **question)
        check_resources(resources)
        return
    if tune_first:
        searches.tuning(given, sweep=asked["name"])
        check_resources(resources)
    else:
        searches.refuse(given, asked["name"])
    if asked["preset"] not in PRESETS:
        raise unknown("--preset", asked["preset"], sorted(PRESETS))
    load(asked["name"]).base(PRESETS[asked["preset"]], parse_settings(asked["settings"]))
    if asked["seeds"] < 1:
        raise UsageError(f"--seeds must be >= 1, but got {asked['seeds']}.")


def _check_shipped(file: str) -> None:
    """A job gets the checkout alone, and starts in its folder; "" is a built-in sweep.

    Raises:
        UsageError: the file of a sweep of one's own would not be found there.
    """
    root = Path(__file__).parents[2]
    there = file and not Path(file).is_absolute() and (root / file).is_file()
    if file and not (there and (root / file).samefile(file)):
        raise UsageError(
            f"a submitted sweep of your own must lie in {root}, which alone is shipped, and be "
            f"named from there, but got {file}: copy it and its trainable there."
        )


def _follow(job: "Job", back: list[str]) -> int:
    """Print the job's logs; its exit code, or 130 if it was left running."""
    try:
        job.follow()
        code = job.state()
    except KeyboardInterrupt:
        click.echo("\nleft; the job goes on:", err=True)
        click.echo("\n".join(back), err=True)
        return DETACHED
    except OSError as error:
        raise DataError(
            f"the connection to the head is lost ({error}); the job goes on there.\n"
            + "\n".join(back)
        ) from error
    if code is None:
        click.echo("the head has closed the log; the job goes on:", err=True)
        click.echo("\n".join(back), err=True)
        return DETACHED
    return code
