"""Which code ran: the package's version and, in a git checkout, the commit; on which packages."""

import os
import subprocess
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

CODE = "VFSEL_CODE"
"""Environment variable that tells a job, which gets the files without git, what code it is."""
PACKAGES = (
    "torch", "torchvision", "torchaudio", "numpy", "pillow", "webdataset", "ray", "optuna",
)  # fmt: skip
"""Those that a result can depend on: they make its numbers or choose its trials."""


@cache
def code_version() -> str:
    """E.g. `0.1.0+3f2a1bc` or `0.1.0+3f2a1bc.dirty`; without git just the version."""
    if shipped := os.environ.get(CODE):
        return shipped
    root = Path(__file__).parent.parent
    version = _package_version(root)
    if not (root / ".git").exists():
        return version
    commit = _git(root, "rev-parse", "--short", "HEAD")
    dirty = ".dirty" if _git(root, "status", "--porcelain") else ""
    return f"{version}+{commit}{dirty}" if commit else version


def package_versions() -> dict[str, str]:
    """Versions of `PACKAGES` as they were installed; what has none is left out."""
    return {name: found for name in PACKAGES if (found := installed(name))}


def installed(name: str) -> str:
    """A package's version, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _package_version(root: Path) -> str:
    """A node may have the dependencies only, and this package as the files of a job."""
    if found := installed("vfsel-orchestrator"):
        return found
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
