"""Python and packages: present, of the versions that were tested, and working together."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.probes import ProbeError, probe
from orchestrator.version import installed as with_build

OLDEST = (3, 11)
_DISTRIBUTION = "vfsel-orchestrator"
_SHOWN = 5


def checks(asked: Asked) -> Iterator[Check]:
    """Python, the pins, and torch with its audio and vision packages."""
    found = platform.python_version()
    old = sys.version_info < OLDEST
    yield error("python", found, "use Python 3.11 or later") if old else ok("python", found)
    yield from _missing()
    yield from pins(asked.root / "constraints.txt")
    yield _torch()


def _missing() -> Iterator[Check]:
    """Required packages that are not there, or not of a version that is asked for."""
    for wanted in map(Requirement, _requirements()):
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        found = installed(wanted.name)
        if found is None or not wanted.specifier.contains(found, prereleases=True):
            text = f"{wanted.name} is {found or 'not installed'}"
            yield error("packages", text, f"pip install '{wanted}'")


def _requirements() -> list[str]:
    try:
        return metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # a job's node has the files of this package only
        return []


def pins(constraints: Path) -> Iterator[Check]:
    """Packages against the versions of a constraints file, where there is one."""
    if not constraints.exists():
        return
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", constraints.read_text(), re.MULTILINE))
    have = {name: installed(name) for name in pinned}
    other = [
        f"{name} {have[name]} (tested: {version})"
        for name, version in pinned.items()
        if have[name] not in (None, version)
    ]
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        advice = f"pip install -c {constraints.name} those packages"
        yield warning("packages", f"{', '.join(other[:_SHOWN])}{more}", advice)
    else:
        yield ok("packages", f"as pinned in {constraints.name}")


def installed(name: str) -> str | None:
    """A package's version without its build (`2.14.1+cpu` is 2.14.1), or None."""
    return with_build(name).partition("+")[0] or None


def _torch() -> Check:
    versions = ", ".join(f"{n} {installed(n)}" for n in ("torch", "torchaudio", "torchvision"))
    try:
        probe("torch")
    except ProbeError as problem:
        advice = "install the three together, as in constraints.txt"
        return error("torch", f"{versions} do not work together ({problem})", advice)
    return ok("torch", f"{versions} load and work")
