"""`plan`."""

import json
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import UsageError
from orchestrator.cli.options import (
    all_questions,
    budget_options,
    json_option,
    own_sweep,
    parse_settings,
    question_options,
    questions,
    trial_options,
)

if TYPE_CHECKING:
    from data_shards.manifest import Data
    from orchestrator.planning import Question
    from orchestrator.preview import Preview
    from orchestrator.resources import Resources
    from orchestrator.storage import Storage


@click.command()
@click.argument("name", required=False, callback=own_sweep)
@click.option("--all", "everything", is_flag=True, help="All sweeps but searches, in one table.")
@question_options
@budget_options
@click.option("--price-per-gpu-hour", type=click.FloatRange(min=0), help="In any currency.")
@trial_options
@json_option
def plan(
    name: str | None,
    everything: bool,
    storage: str,
    as_json: bool,
    budget: str | None,
    probe: bool,
    price_per_gpu_hour: float | None,
    cpus_per_trial: float,
    gpus_per_trial: float,
    max_concurrent: int,
    loader_workers: int,
    **asked: Any,
) -> None:
    """Show the trials of the sweep NAME, what they take and what they can show; nothing runs.

    With --all, how many trials all sweeps have together, and how many of them are distinct: what
    several sweeps share is trained once.
    """
    from orchestrator.budget import check_budget
    from orchestrator.resources import Resources
    from orchestrator.storage import Storage

    if everything == bool(name):
        raise click.UsageError("plan needs the NAME of a sweep, or --all.")
    store = Storage(storage)
    if name is None:
        if budget or probe:
            raise UsageError("--budget and --probe are for one sweep, but --all is given.")
        _plan_all(store, as_json, **asked)
        return
    resources = Resources(
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        loader_workers=loader_workers,
        cache_limit=asked["cache_limit"],
    )
    found = questions(name=name, **asked)
    if budget:
        check_budget(budget, gpus=resources.gpus, data_sets=len(found))
    how: dict[str, Any] = {"budget": budget, "probed": probe, "price": price_per_gpu_hour}
    how |= {"storage": store, "resources": resources}
    previews = [_preview(question, data, asked, **how) for question, data in found]
    if as_json:
        plans = [preview.to_dict() for preview in previews]
        click.echo(json.dumps(plans[0] if len(plans) == 1 else plans))
        return
    for preview, (_, data) in zip(previews, found, strict=True):
        _show(preview, data, store, cache_limit=asked["cache_limit"])


def _preview(
    question: "Question",
    data: "Data",
    asked: dict[str, Any],
    *,
    budget: str | None,
    probed: bool,
    price: float | None,
    storage: "Storage",
    resources: "Resources",
) -> "Preview":
    from orchestrator.estimates import estimate, within
    from orchestrator.preview import preview
    from orchestrator.sharing import others, shared
    from trainables.presets import PRESETS

    costs = estimate(question, data, storage, resources, probed=probed)
    settings = parse_settings(asked["settings"])
    same = {"settings": settings, "seeds": asked["seeds"], "cache_limit": asked["cache_limit"]}
    beside = others(question, data, storage, preset=PRESETS[asked["preset"]], asked=same)
    also = shared(question, storage, beside)
    if budget:
        question = within(question, budget, costs, storage, resources)
    return preview(
        question, data, storage, costs=costs, resources=resources, price=price, shared=also
    )


def _show(found: "Preview", data: "Data", store: "Storage", *, cache_limit: float) -> None:
    from orchestrator.feature_plan import told
    from orchestrator.preview_lines import lines

    experiments = [trial.experiment for trial in found.plan.trials]
    features = told(experiments, data.manifest, cache_limit=cache_limit)
    click.echo("\n".join(lines(found, features=features, storage=store.url)))


def _plan_all(store: "Storage", as_json: bool, **asked: Any) -> None:
    from orchestrator.overview import lines, overview

    found = overview(all_questions(**asked), store)
    if as_json:
        click.echo(json.dumps(found.to_dict()))
        return
    click.echo("\n".join(lines(found, storage=store.url)))
