"""What `submit` would ship: Ray takes at most 512 MiB, and data do not belong there."""

import logging
from collections.abc import Iterator
from pathlib import Path

from ray._private.runtime_env import packaging
from ray.dashboard.modules.dashboard_sdk import parse_runtime_env_args

from orchestrator.doctor.check import Asked, Check, ok, warning
from orchestrator.doctor.disk import size

_SILENT = logging.getLogger("orchestrator.doctor.shipped")  # Ray names every .gitignore
_SILENT.setLevel(logging.ERROR)
LARGEST = packaging.GCS_STORAGE_MAX_SIZE  # bytes, packed


def checks(asked: Asked) -> Iterator[Check]:
    """Only of a checkout: nothing else can be shipped."""
    settings = asked.root / "deploy" / "runtime_env.yaml"
    if not settings.exists():
        return
    found = sizes(asked.root, parse_runtime_env_args(runtime_env=str(settings))["excludes"])
    total = sum(found.values())
    if total <= LARGEST:
        yield ok("code", f"submit would ship {size(total)} in {len(found)} files")
        return
    largest = max(found, key=lambda path: found[path])
    text = f"submit would ship {size(total)}, and Ray takes {size(LARGEST)}; largest: {largest}"
    yield warning("code", text, "move data and results out of the checkout, or exclude them")


def sizes(root: Path, excludes: list[str]) -> dict[Path, int]:
    """Bytes of the files that Ray would pack, by its own rules."""
    found: dict[Path, int] = {}

    def add(path: Path) -> None:
        if path.is_file():
            found[path.relative_to(root)] = path.stat().st_size

    skip = [packaging._get_excludes(root, excludes)]
    packaging._dir_travel(root, skip, add, include_gitignore=True, logger=_SILENT)
    return found
