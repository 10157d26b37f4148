"""A finding of the doctor, and what it was asked to look at."""

from dataclasses import dataclass
from typing import Literal

from data_shards.errors import DataError, UsageError
from orchestrator import tracking_uri as tracking

OK: Literal["ok"] = "ok"
WARNING: Literal["warning"] = "warning"
ERROR: Literal["error"] = "error"
_LONGEST = 300


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, what to do about it."""

    name: str
    level: Literal["ok", "warning", "error"]
    text: str
    advice: str = ""

    @property
    def line(self) -> str:
        """For people."""
        return f"{self.level:7} {self.name}: {self.text}{self.advice and f'; {self.advice}'}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Options of the command: where results, runs, data and the cluster are; what a trial gets."""

    storage: str = "runs"
    tracking_uri: str = tracking.DEFAULT
    data: tuple[str, ...] = ()
    weights: str = ""
    address: str = ""
    """HOST:PORT of a Ray head or the address of its dashboard; "": no cluster."""
    gpus_per_trial: float | Literal["auto"] = 0.0
    loader_workers: int = 0
    full: bool = False
    """Read all packed data."""
    fix: bool = False
    """Mend what can be mended."""

    @property
    def gpus(self) -> bool:
        """Whether a trial wants any."""
        return self.gpus_per_trial != 0


def refused(name: str, error: BaseException) -> Check:
    """An error as a finding; what our own errors say behind their last colon is the advice."""
    text = " ".join(str(error).split())
    if isinstance(error, DataError | UsageError):
        found, _, advice = text.rpartition(": ")
        return Check(name, ERROR, found or text, advice if found else "")
    return Check(name, ERROR, f"the check failed ({type(error).__name__}: {text[:_LONGEST]})")
