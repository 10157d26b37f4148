"""Stage 1 of the γ sweep by the product, as `vanilla_sweep` runs it: the whole command's path.

python -m benchmarks.our_sweep --data DIR --out DIR --gammas 1 5 10 20 50 100
"""

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path

from benchmarks.rivals import CONCURRENT


def main() -> None:
    """Run the sweep; one line of JSON: seconds of the whole process, and what each trial found."""
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gammas", type=float, nargs="+", default=[1, 5, 10, 20, 50, 100])
    parser.add_argument("--attention", default="B3", choices=["none", "B3", "B4"])
    parser.add_argument("--image-encoder", default="efficientnet_lite0")
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        trials, training = _sweep(options)
    about = {"trials": trials, "training": training}
    print(json.dumps({"seconds": time.perf_counter() - start} | about))


def _sweep(options: argparse.Namespace) -> tuple[list[dict[str, float]], float]:
    """What each trial found; seconds from the start of the first trial to the last record."""
    from orchestrator.ray_environment import set_environment

    set_environment()
    from data_shards import manifest
    from orchestrator.planning import ask
    from orchestrator.resources import Resources
    from orchestrator.storage import Storage
    from orchestrator.sweeping import run_sweep
    from search_spaces.designs import Factorial
    from search_spaces.sweep import Sweep
    from trainables.presets import PRESETS

    data = manifest.load(options.data)
    sweep = Sweep(name="gamma", question="Which γ, stage 1?", source="benchmark",
                  design=Factorial({"gamma": options.gammas}))  # fmt: skip
    settings = {"image_encoder": options.image_encoder, "image_attention": options.attention,
                "epochs": options.epochs}  # fmt: skip
    question = ask(sweep, preset=PRESETS["demo"], settings=settings, seeds=1, data=data)
    out = options.out.absolute()
    found = run_sweep(
        question, data, storage_url=str(out / "runs"), tracking_uri=f"sqlite:///{out}/mlflow.db",
        resources=Resources(max_concurrent=CONCURRENT), max_failures=0,
    )  # fmt: skip
    if found.code:
        sys.exit(f"the sweep failed: exit code {found.code}")
    storage = Storage(str(out / "runs"))
    trials, begun, ended = [], [], []
    for trial in question.plan(storage).trials:
        record = storage.record(trial.id)
        assert record is not None
        test = {name: record["test"][name] for name in ("s2i_r1", "i2s_r1")}
        gamma = record["experiment"]["loss"]["gamma"]
        trials.append({"gamma": gamma, "time_total_s": record["seconds"], **test})
        written = (out / "runs" / "records" / f"{trial.id}.json").stat().st_mtime
        begun.append(written - record["seconds"])
        ended.append(written)
    return trials, max(ended) - min(begun)


if __name__ == "__main__":
    main()
