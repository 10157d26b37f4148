"""`submit` and `status`."""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import DataError, UsageError, unknown
from orchestrator import job_folder
from orchestrator.cli import searches
from orchestrator.cli.data_sets import place
from orchestrator.cli.options import json_option, parse_settings, storage_option
from orchestrator.cli.sweeps import sweep

if TYPE_CHECKING:
    from orchestrator.jobs import Job
    from orchestrator.resources import Resources
    from orchestrator.storage import Storage

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

    given = searches.take(asked)
    if searches.is_search(asked["name"]):
        question = {key: asked[key] for key in ("name", "preset", "settings", "seeds")}
        searches.check(given, **question)
        check_resources(resources)
        return
    searches.refuse(given, asked["name"])
    if asked["preset"] not in PRESETS:
        raise unknown("--preset", asked["preset"], sorted(PRESETS))
    load(asked["name"]).base(PRESETS[asked["preset"]], parse_settings(asked["settings"]))
    if asked["seeds"] < 1:
        raise UsageError(f"--seeds must be >= 1, but got {asked['seeds']}.")


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


@click.command()
@click.argument("name")
@storage_option
@json_option
def status(name: str, storage: str, as_json: bool) -> None:
    """Show how far the sweep NAME is, from its storage alone: from any machine, at any time."""
    from orchestrator.planning import asked_before
    from orchestrator.status import lines, plan_status
    from orchestrator.storage import Storage

    store = Storage(storage)
    if searches.is_search(name):  # an unknown sweep is said with a guess
        _status_of_searches(name, store, as_json)
        return
    plans = [plan_status(question, store) for question in asked_before(name, store)]
    if as_json:
        click.echo(json.dumps({"plans": [plan.to_dict() for plan in plans]}))
        return
    for plan in plans:
        click.echo("\n".join(lines(plan)))


def _status_of_searches(name: str, store: "Storage", as_json: bool) -> None:
    from orchestrator.search.question import searches_before
    from orchestrator.search.status import study_status

    found = [study_status(question, store) for question in searches_before(name, store)]
    if as_json:
        click.echo(json.dumps({"studies": [values for _, values in found]}))
        return
    for lines, _ in found:
        click.echo("\n".join(lines))
