"""Why a trial failed: its class and one line, from the texts that Ray writes."""

import builtins
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

LOST = "its node was lost"
ENDED = "its process ended"
UNFIT = "its node cannot serve it"
CUT_OFF = "its process cannot be reached"


class Kind(StrEnum):
    """Classes of failures; what each calls for stands in `tries.py` and docs/reliability.md."""

    GPU_MEMORY = "out of GPU memory"
    MEMORY = "out of memory"
    NODE = "node lost"
    KILLED = "process ended"
    PASSING = "storage or network"
    NOT_FINITE = "not finite"
    ERROR = "error"


_ADVICE = {
    Kind.GPU_MEMORY: "give a trial more of a GPU (--gpus-per-trial), or use a larger one",
    Kind.MEMORY: "run fewer trials a node (--max-concurrent, --cpus-per-trial)",
    Kind.KILLED: "see the node's system log; the same command tries it again",
    Kind.NODE: "see `ray status`; the same command goes on",
    Kind.PASSING: "the same command goes on",
}
_GPU_MEMORY = re.compile(
    r"CUDA (error: )?out of memory|CU(BLAS|DNN)_STATUS_ALLOC_FAILED", re.IGNORECASE
)
_MEMORY = re.compile(
    r"low on memory|DefaultCPUAllocator: (can't|not enough)|MemoryError|Cannot allocate memory"
)
_NO_SPACE = "No space left on device"  # also torch's word of /dev/shm
_NODE_DIED = re.compile(r"node has died|node was terminated")
_UNAVAILABLE = re.compile(r"The actor \w+ is unavailable")
_OURS = ("UsageError", "DataError", "NetworkError", "TrainingError", "WorkerDied")
_SYSTEM = {n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, OSError)}


@dataclass(frozen=True)
class Failure:
    """Why a try ended without a record."""

    kind: Kind
    reason: str
    """One line."""

    @property
    def text(self) -> str:
        """The reason, and what to do where the message does not say it already."""
        advice = _ADVICE.get(self.kind)
        return f"{self.reason.rstrip('.')}: {advice}." if advice else self.reason

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


SILENT = Failure(Kind.KILLED, f"{ENDED}: it left no word")


def classify(text: str) -> Failure:
    """The failure that Ray's text tells of: a heading, then the error.

    An error raised in a trial comes as a traceback that begins with `ray::`, and ends in `Class:
    message`; that of a process that died (killed, out of memory) explains itself at the start.
    """
    text = re.sub(r"\x1b\[\d*m", "", text)
    lines = [line for line in text.splitlines() if line.strip()][1:]
    raised = [n for n, line in enumerate(lines[:3]) if "ray::" in line and "()" in line]
    if not raised:
        return _ended(lines)
    errors = [line for line in lines[raised[0] + 1 :] if re.match(r"[\w.]+(: |$)", line)]
    name, _, message = (errors or lines)[-1].partition(": ")
    return _raised(name.rsplit(".", 1)[-1], message)


def _ended(lines: list[str]) -> Failure:
    """The process, or the node with it, is gone."""
    if not lines:
        return SILENT
    if any(_NODE_DIED.search(line) for line in lines):
        return Failure(Kind.NODE, LOST)
    if _UNAVAILABLE.match(lines[0]):
        return Failure(Kind.KILLED, CUT_OFF)  # by what, Ray does not know yet
    short = any(_MEMORY.search(line) for line in lines)
    said, dot, _ = lines[0].strip().partition(". ")  # Ray's texts are paragraphs
    return Failure(Kind.MEMORY if short else Kind.KILLED, f"{ENDED}: {said}{dot.strip()}")


def _raised(name: str, message: str) -> Failure:
    """The training, or what it stands on, raised an error."""
    if name == "NodeError":
        return Failure(Kind.NODE, f"{UNFIT}: {message}")
    said = message if name in _OURS else f"{name}: {message}"
    return Failure(_kind(name, said), said)


def _kind(name: str, said: str) -> Kind:
    if _GPU_MEMORY.search(said):
        return Kind.GPU_MEMORY
    if _MEMORY.search(said):
        return Kind.MEMORY
    if name == "WorkerDied":
        return Kind.KILLED
    if name == "NetworkError" or name in _SYSTEM or _NO_SPACE in said:
        return Kind.PASSING
    return Kind.NOT_FINITE if name == "TrainingError" else Kind.ERROR
