"""`plan` and `sweep`."""

import json
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import searches
from orchestrator.cli.options import (
    all_questions,
    check_weights,
    json_option,
    own_sweep,
    question_options,
    questions,
    run_options,
    weights_option,
)

if TYPE_CHECKING:
    from orchestrator.planning import Question
    from orchestrator.storage import Storage


@click.command()
@click.argument("name", required=False, callback=own_sweep)
@click.option("--all", "everything", is_flag=True, help="All sweeps but searches, in one table.")
@question_options
@json_option
def plan(name: str | None, everything: bool, storage: str, as_json: bool, **asked: Any) -> None:
    """Show the trials of the sweep NAME: recorded, to run, still undecided.

    With --all, how many trials all sweeps have together, and how many of them are distinct: what
    several sweeps share is trained once.
    """
    from orchestrator.feature_plan import told
    from orchestrator.storage import Storage

    if everything == bool(name):
        raise click.UsageError("plan needs the NAME of a sweep, or --all.")
    if name is None:
        _plan_all(Storage(storage), as_json, **asked)
        return
    store = Storage(storage)
    asked_of = questions(name=name, **asked)
    if as_json:
        plans = [_plan_as_dict(found, store) for found, _ in asked_of]
        click.echo(json.dumps(plans[0] if len(plans) == 1 else plans))
        return
    for found, data in asked_of:
        experiments = [trial.experiment for trial in found.plan(store).trials]
        _show_plan(found, store, told(experiments, data.manifest, cache_limit=asked["cache_limit"]))


def _plan_as_dict(found: "Question", store: "Storage") -> dict[str, Any]:
    recorded, planned = store.record_ids(), found.plan(store)
    trials = [{"id": t.id, "name": t.name, "recorded": t.id in recorded} for t in planned.trials]
    return {"dataset": found.dataset, "trials": trials, "undecided": planned.undecided}


def _show_plan(found: "Question", store: "Storage", features: str) -> None:
    recorded, planned, base = store.record_ids(), found.plan(store), found.base
    click.echo(
        f"{found.sweep.question}\ndata {found.dataset} {base.data}, {base.model}, "
        f"{base.epochs} epochs of batches of {base.batch_size}, seeds 0 to {found.seeds - 1}"
    )
    click.echo(features)
    for trial in planned.trials:
        click.echo(
            f"{trial.id}  {'recorded' if trial.id in recorded else 'to run  '}  {trial.name}"
        )
    if planned.undecided:
        click.echo(f"undecided     {planned.undecided}")
    done = sum(trial.id in recorded for trial in planned.trials)
    click.echo(
        f"{len(planned.trials)} trials: {done} recorded in {store.url}, "
        f"{len(planned.trials) - done} to run."
    )


def _plan_all(store: "Storage", as_json: bool, **asked: Any) -> None:
    from orchestrator.overview import lines, overview

    found = overview(all_questions(**asked), store)
    if as_json:
        click.echo(json.dumps(found.to_dict()))
        return
    click.echo("\n".join(lines(found, storage=store.url)))


@click.command()
@click.argument("name", callback=own_sweep)
@question_options
@searches.search_options
@weights_option
@run_options
@json_option
def sweep(
    storage: str,
    tracking_uri: str,
    as_json: bool,
    cpus_per_trial: float,
    gpus_per_trial: float,
    max_concurrent: int,
    loader_workers: int,
    checkpoint_every: int,
    autoscale: bool,
    max_failures: int,
    weights: str,
    **asked: Any,
) -> int:
    """Run what is missing of the sweep NAME, and answer it. Run it again: it goes on."""
    check_weights(weights)
    from orchestrator.ray_environment import set_environment
    from orchestrator.resources import Resources

    set_environment()
    from orchestrator.search.run import run_search
    from orchestrator.sweeping import run_sweeps

    resources = Resources(
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        loader_workers=loader_workers,
        checkpoint_every=checkpoint_every,
        autoscale=autoscale,
        cache_limit=asked["cache_limit"],
        weights=weights,
    )
    how: dict[str, Any] = {
        "storage_url": storage,
        "tracking_uri": tracking_uri,
        "resources": resources,
        "max_failures": max_failures,
        "as_json": as_json,
    }
    given, tune_first = searches.take(asked), asked.pop("tune_first")
    if searches.is_search(asked["name"]):
        searches.refuse({"tune_first": True} if tune_first else {}, asked["name"])
        searched, data = searches.search_question(given, **asked)
        return run_search(searched, data, **searches.limits(given), **how)
    tuning = searches.tuning(given, sweep=asked["name"]) if tune_first else None
    if not tuning:
        searches.refuse(given, asked["name"])
    return run_sweeps(questions(**asked), tuning=tuning, **how)
