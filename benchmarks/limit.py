"""What the arithmetic of a trial takes, alone: no Ray, no tracking, no checkpoint, no loader.

Timed in as many processes at once as trials run at once, a thread each: they share the machine's
memory and caches as trials do.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.rivals import CONCURRENT
from data_shards import manifest
from data_shards.manifest import Data

STEPS = 8


@dataclass(frozen=True)
class Alone:
    """Seconds of each part of a trial."""

    step: float
    """Speech encoder, trained image tail, loss and optimiser, on a batch that is in memory."""
    validation: float
    test: float
    steps: int
    """Of an epoch."""

    def seconds(self, epochs: int) -> float:
        """A trial of so many epochs: each is validated, the last is tested."""
        return epochs * (self.steps * self.step + self.validation) + self.test

    def __str__(self) -> str:
        return (
            f"{self.steps} steps of {self.step:.2f} s an epoch, validation "
            f"{self.validation:.2f} s, test {self.test:.2f} s"
        )


def measure_in_process(data: Data, cache: Path, place: str) -> Alone:
    """The faster of the processes that run at once: the tighter limit."""
    command = [sys.executable, "-m", "benchmarks.limit", data.folder, str(cache), place]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(CONCURRENT)
    ]
    found = [Alone(**json.loads(process.communicate()[0])) for process in processes]
    return min(found, key=lambda alone: alone.seconds(2))


def main() -> None:
    """One process: JSON of `Alone`."""
    import torch

    from data_shards.feature_store import Store
    from trainables.allocator import keep_freed_memory
    from trainables.evaluation import evaluate
    from trainables.inputs import Inputs
    from trainables.model import DualEncoder, initialise
    from trainables.presets import PRESETS

    keep_freed_memory()
    torch.set_num_threads(1)
    folder, cache, place = sys.argv[1:]
    data = manifest.load(folder)
    experiment = PRESETS["demo"].replace(
        image_encoder="efficientnet_lite0", image_attention=place, data=data.manifest.hash
    )
    model = DualEncoder(experiment).to(memory_format=torch.channels_last)
    initialise(model, experiment.seed)
    inputs = Inputs(experiment, model, data, Store(Path(cache)))
    inputs.derive()
    batches = list(inputs.training_batches(1))
    optimiser = torch.optim.Adam(p for p in model.parameters() if p.requires_grad)
    model.train()
    times = []
    for batch in batches[:STEPS]:
        start = time.perf_counter()
        image_BE, speech_BE = model(batch.image, batch.frames_BTF, batch.length_B)
        loss = experiment.loss(image_BE, speech_BE, batch.class_B, generator=torch.Generator())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        times.append(time.perf_counter() - start)
    seconds = {}
    for split in ("val", "test"):
        features = inputs.features(split)
        evaluate(model, features, device=torch.device("cpu"))
        start = time.perf_counter()
        evaluate(model, features, device=torch.device("cpu"))
        seconds[split] = time.perf_counter() - start
    step = sorted(times)[len(times) // 2]
    found = Alone(step, seconds["val"], seconds["test"], len(batches))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
