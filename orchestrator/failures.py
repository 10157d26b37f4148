"""Why a trial failed, in one line, from the texts that Ray writes; and whether to try it again."""

import re
from collections import Counter
from dataclasses import dataclass, field

LOST = "its node was lost"
ENDED = "its process ended"
NODE = "its node cannot serve it"
_OUT_OF_GPU_MEMORY = re.compile(
    r"CUDA (error: )?out of memory|CU(BLAS|DNN)_STATUS_ALLOC_FAILED", re.IGNORECASE
)
CUT_OFF = "its process cannot be reached"
MOST_LOST = 10  # a trial that takes its node down with it must not do so for ever
_NODE_DIED = re.compile(r"node has died|node was terminated")
_UNAVAILABLE = re.compile(r"The actor \w+ is unavailable")


def reason_of(text: str) -> str:
    """One line from Ray's text of a failure: a heading, then the error.

    An error raised in a trial comes as a traceback that begins with `ray::`, and ends in `Class:
    message`; that of a process that died (killed, out of memory) explains itself at the start.
    """
    text = re.sub(r"\x1b\[\d*m", "", text)
    lines = [line for line in text.splitlines() if line.strip()][1:] or ["it left no word"]
    raised = [n for n, line in enumerate(lines[:3]) if "ray::" in line and "()" in line]
    if not raised:
        return _ended(lines)
    errors = [line for line in lines[raised[0] + 1 :] if re.match(r"[\w.]+(: |$)", line)]
    name, _, message = (errors or lines)[-1].partition(": ")
    name = name.rsplit(".", 1)[-1]
    if name == "NodeError":
        return f"{NODE}: {message}"
    return message if name in ("UsageError", "DataError", "TrainingError") else f"{name}: {message}"


def _ended(lines: list[str]) -> str:
    """The process, or the node with it, is gone."""
    if any(_NODE_DIED.search(line) for line in lines):
        return LOST
    if _UNAVAILABLE.match(lines[0]):
        return CUT_OFF  # by what, Ray does not know yet
    return f"{ENDED}: {lines[0].strip()}"


def is_raised(reason: str) -> bool:
    """Whether the training itself raised it, and would again."""
    return not reason.startswith((LOST, ENDED, CUT_OFF, NODE))


def is_out_of_gpu_memory(reason: str) -> bool:
    """Whether the GPU, or the trial's share of it, was too small."""
    return bool(_OUT_OF_GPU_MEMORY.search(reason))


@dataclass
class Tries:
    """How often each trial was tried. A lost node is not the trial's failure."""

    max_failures: int
    _failed: Counter[str] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)

    def count(self, trial_id: str, reason: str) -> None:
        """A round has left the trial without a record."""
        if reason == LOST or reason.startswith(NODE):
            self._lost[trial_id] += 1
        else:
            self._failed[trial_id] += 1

    def left(self, trial_id: str) -> bool:
        """Whether it may be tried (again)."""
        return self._failed[trial_id] <= self.max_failures and self._lost[trial_id] <= MOST_LOST
