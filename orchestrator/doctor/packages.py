"""Python and the packages: their versions against the pins, and whether torch's fit together."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from orchestrator.doctor.check import ERROR, OK, WARNING, Asked, Check

PINS = Path(__file__).parents[2] / "constraints.txt"
OURS = "vfsel-orchestrator"
OLDEST = (3, 11)
IMPORT_SECONDS = 80
# In a process of its own: a pair of builds that do not fit may end the process that loads them.
_LOAD = """
import importlib, json
found = {"failed": {}, "gpus": 0}
for name in ("torch", "torchvision", "torchaudio.compliance.kaldi"):
    try:
        importlib.import_module(name)
    except BaseException as error:
        found["failed"][name.split(".")[0]] = f"{type(error).__name__}: {error}"
if "torch" not in found["failed"]:
    import torch
    found |= {"gpus": torch.cuda.device_count(), "cuda": torch.version.cuda}
print("\\n" + json.dumps(found))
"""


def checks(asked: Asked) -> Iterator[Check]:
    """Of Python, of the versions, of torch."""
    yield python()
    yield versions(PINS) if PINS.is_file() else requirements()
    yield from _torch()


def python() -> Check:
    """Its version."""
    is_old = sys.version_info < OLDEST
    advice = f"use {OLDEST[0]}.{OLDEST[1]} or newer" if is_old else ""
    return Check("python", ERROR if is_old else OK, platform.python_version(), advice)


def versions(pins: Path) -> Check:
    """Installed packages against a constraints file; what is not installed is not asked for."""
    wrong = []
    for line in pins.read_text().splitlines():
        name, pinned, version = line.partition("==")
        installed = _installed(name.strip())
        if pinned and installed and installed.partition("+")[0] != version.strip():
            wrong.append(f"{name} {installed} (pinned: {version.strip()})")
    if wrong:
        return Check(
            "packages", WARNING, ", ".join(wrong),
            f"install what was tested: pip install --constraint {pins.name} --editable .",
        )  # fmt: skip
    return requirements()


def requirements() -> Check:
    """What this package asks for is installed."""
    asked = [line for line in metadata.requires(OURS) or [] if "extra ==" not in line]
    names = [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in asked]
    if missing := [name for name in names if _installed(name) is None]:
        return Check("packages", ERROR, f"{', '.join(missing)} not installed", "pip install them")
    return Check("packages", OK, f"{len(names)} requirements installed, in the pinned versions")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@cache
def torch_seen() -> dict[str, Any]:
    """What a process that loads torch finds: `failed` by package, `gpus`, and `cuda`'s version."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD], capture_output=True, text=True, timeout=IMPORT_SECONDS
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    except (ValueError, IndexError):
        why = next(iter(done.stderr.strip().splitlines()[-1:]), "no word of why")
        ended = f"loading it ended with code {done.returncode}: {why}"
        return {"failed": {"torch": ended}, "gpus": 0}


def _torch() -> Iterator[Check]:
    seen = torch_seen()
    for name, why in seen["failed"].items():
        yield Check(
            name, ERROR, f"{_installed(name)} does not load ({why.splitlines()[0]})",
            "install torch, torchvision and torchaudio at once, in the pinned versions",
        )  # fmt: skip
    if not seen["failed"]:
        built = f"CUDA {seen['cuda']}" if seen["cuda"] else "CPU only"
        pair = ", ".join(f"{name} {_installed(name)}" for name in ("torchvision", "torchaudio"))
        yield Check("torch", OK, f"{_installed('torch')} ({built}) with {pair}")
