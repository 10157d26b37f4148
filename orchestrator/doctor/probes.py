"""Looks at torch and Ray from a process of its own: what crashes or hangs there is a finding.

`python -m orchestrator.doctor.probes NAME` prints what `NAME` finds, as JSON.
"""

import functools
import json
import os
import subprocess
import sys
from typing import Any

SECONDS = 60.0


class ProbeError(RuntimeError):
    """The last line that a probe left, or that it hung."""


@functools.cache
def probe(name: str, **variables: str) -> Any:
    """What a probe finds, with these environment variables.

    Raises:
        ProbeError: it crashed, raised, or did not end in time.
    """
    command = [sys.executable, "-m", __name__, name]
    try:
        done = subprocess.run(
            command, env=os.environ | variables, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"no answer within {SECONDS:g} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
        raise ProbeError(said[-1].removeprefix("error: "))
    return json.loads(done.stdout.splitlines()[-1])


def torch() -> dict[str, Any]:
    """GPUs that torch sees, and their memory in bytes; the audio and vision packages at work."""
    import torch
    import torchaudio
    import torchvision

    torchaudio.compliance.kaldi.fbank(torch.zeros(1, 1600))
    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    count = torch.cuda.device_count()
    return {
        "gpus": [torch.cuda.get_device_properties(n).total_memory for n in range(count)],
        "cuda": torch.version.cuda,
    }


def ray_nodes() -> list[dict[str, Any]]:
    """The resources of every living node of the cluster that `RAY_ADDRESS` names."""
    from orchestrator import cluster

    cluster.connect()
    return [node["Resources"] for node in cluster.alive()]


def main() -> None:
    """Print what the named probe finds, or its error in one line."""
    from data_shards.errors import DataError, UsageError
    from orchestrator.ray_environment import set_environment

    set_environment()
    found = {"torch": torch, "ray_nodes": ray_nodes}[sys.argv[1]]
    try:
        print(json.dumps(found()))
    except (DataError, UsageError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
