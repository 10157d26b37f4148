"""`sweep`."""

from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import UsageError
from orchestrator.cli import searches
from orchestrator.cli.options import (
    budget_options,
    check_weights,
    json_option,
    own_sweep,
    question_options,
    questions,
    run_options,
    weights_option,
)

if TYPE_CHECKING:
    from data_shards.manifest import Data
    from orchestrator.planning import Question
    from orchestrator.resources import Resources
    from orchestrator.storage import Storage


@click.command()
@click.argument("name", callback=own_sweep)
@question_options
@searches.search_options
@budget_options
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
    budget: str | None,
    probe: bool,
    **asked: Any,
) -> int:
    """Run what is missing of the sweep NAME, and answer it. Run it again: it goes on."""
    check_weights(weights)
    from orchestrator.ray_environment import set_environment
    from orchestrator.resources import Resources

    set_environment()
    from orchestrator.search.run import run_search
    from orchestrator.storage import Storage
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
    if probe and not budget:
        raise UsageError("--probe is for --budget, but none is given; `plan --probe` shows times.")
    given, tune_first = searches.take(asked), asked.pop("tune_first")
    if searches.is_search(asked["name"]):
        searches.refuse({"tune_first": True} if tune_first else {}, asked["name"])
        _refuse_budget(budget, f"{asked['name']} is a search, which takes --trials")
        searched, data = searches.search_question(given, **asked)
        return run_search(searched, data, **searches.limits(given), **how)
    tuning = searches.tuning(given, sweep=asked["name"]) if tune_first else None
    if not tuning:
        searches.refuse(given, asked["name"])
    else:
        _refuse_budget(budget, "--tune-first adds trials that no plan has")
    found = questions(**asked)
    if budget:
        found = [_afforded(found, budget, Storage(storage), resources, probed=probe)]
    return run_sweeps(found, tuning=tuning, **how)


def _afforded(
    found: "list[tuple[Question, Data]]",
    budget: str,
    storage: "Storage",
    resources: "Resources",
    *,
    probed: bool,
) -> "tuple[Question, Data]":
    """The one question that was asked, within a budget.

    Raises:
        UsageError: there are several, or what trials cost is not known.
    """
    from orchestrator.budget import check_budget
    from orchestrator.estimates import estimate, within

    check_budget(budget, gpus=resources.gpus, data_sets=len(found))
    ((question, data),) = found
    costs = estimate(question, data, storage, resources, probed=probed)
    return within(question, budget, costs, storage, resources), data


def _refuse_budget(budget: str | None, why: str) -> None:
    if budget:
        raise UsageError(f"--budget is for plans whose trials are known, but {why}.")
