"""Pictures in MLflow: artifacts of every run that a trial has, in whatever plans it stands."""

from collections.abc import Mapping
from typing import Any

from orchestrator.mlflow_client import log_pictures, quieten
from orchestrator.tracking_errors import said
from orchestrator.tracking_uri import TrackingUri


def log(uri: TrackingUri, trial_id: str, pictures: Mapping[str, bytes]) -> str:
    """Log the pictures, by file name; returns what came of it in one line, however MLflow fails."""
    quieten()
    try:
        from mlflow import MlflowClient  # 2 s, and only here

        client = MlflowClient(tracking_uri=uri.text)
        runs = _runs(client, trial_id)
        for run_id in runs:
            log_pictures(client, run_id, pictures)
    except Exception as error:  # a server, a database, a file system: each has its own
        return f"warning: MLflow at {uri.shown} took no pictures: {said(error, uri)}"
    if not runs:
        return f"warning: MLflow at {uri.shown} has no run of {trial_id}: run its sweep first."
    return f"MLflow at {uri.shown}: pictures of {trial_id} in {len(runs)} run(s)"


def _runs(client: Any, trial_id: str) -> list[str]:
    """Ids of the trial's runs: one in each plan that it stands in."""
    experiments = [e.experiment_id for e in client.search_experiments()]
    found = client.search_runs(experiments, f"tags.`vfsel.trial_id` = '{trial_id}'")
    return [run.info.run_id for run in found]
