"""Memory and CPUs of this machine, as its container limits them."""

import os
from collections.abc import Iterator
from pathlib import Path

from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.disk import size

KILLS_AT = 0.95  # Ray's memory monitor ends processes from here on
NEEDED = 2e9
_MEMINFO, _CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def checks(asked: Asked) -> Iterator[Check]:
    """Memory; and CPUs, where the trials would run here."""
    if _MEMINFO.exists():
        yield memory(*machine(_MEMINFO), *limit(_CGROUP))
    if not asked.address:
        yield cpus(asked)


def memory(total: int, free: int, most: int | None, used: int) -> Check:
    """What is free of the machine's memory, or of the container's share of it (bytes)."""
    if most is not None and most < total:
        total, free = most, min(free, most - used)
    text = f"{size(free)} of {size(total)} free"
    advice = "end other programs, or run fewer trials at once (--max-concurrent)"
    if free < (1 - KILLS_AT) * total:
        return error("memory", f"{text}: Ray ends processes from 95 % on", advice)
    return warning("memory", text, advice) if free < NEEDED else ok("memory", text)


def machine(meminfo: Path) -> tuple[int, int]:
    """Bytes in all, and bytes that programs could have."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    total, free = (int(lines[key].split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
    return total, free


def limit(cgroup: Path) -> tuple[int | None, int]:
    """A container's limit, if it has one, and what it uses without the cache of files (bytes)."""
    for most, used, stat, cache in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes",
         "memory/memory.stat", "total_inactive_file"),
    ):  # fmt: skip
        if (cgroup / most).exists() and (text := (cgroup / most).read_text().strip()).isdigit():
            stats = dict(line.split() for line in (cgroup / stat).read_text().splitlines())
            in_use = int((cgroup / used).read_text()) - int(stats.get(cache, 0))
            return int(text), in_use
    return None, 0


def cpus(asked: Asked) -> Check:
    """Whether a trial and its loader processes fit on this machine."""
    have, wanted = os.cpu_count() or 1, asked.resources.request["cpu"]
    text = f"{have}; a trial with its loader processes asks for {wanted:g}"
    if wanted > have:
        return error("cpus", text, "lower --cpus-per-trial or --loader-workers")
    return ok("cpus", text)
