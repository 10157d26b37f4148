"""Which code ran: the package's version and, in a git checkout, the commit."""

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def code_version() -> str:
    """E.g. `0.1.0+3f2a1bc` or `0.1.0+3f2a1bc.dirty`; without git just the version."""
    version = metadata.version("vfsel-orchestrator")
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return version
    commit = _git(root, "rev-parse", "--short", "HEAD")
    dirty = ".dirty" if _git(root, "status", "--porcelain") else ""
    return f"{version}+{commit}{dirty}" if commit else version


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
