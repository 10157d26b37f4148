"""One line of the doctor: what was looked at, how bad it is, what was found, what to do."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from orchestrator.resources import Resources
from orchestrator.storage import Storage


class Level(StrEnum):
    """`error`: a sweep would fail; `warning`: it would run, perhaps not as meant."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """What was found."""

    name: str
    level: Level
    text: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""

    @property
    def line(self) -> str:
        """For people."""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.level:<7}  {self.name}: {self.text}{advice}"

    def to_dict(self) -> dict[str, str]:
        """For JSON."""
        return {name: str(value) for name, value in asdict(self).items()}


def ok(name: str, text: str) -> Check:
    """All is well."""
    return Check(name, Level.OK, text)


def warning(name: str, text: str, advice: str = "") -> Check:
    """A sweep would run, perhaps not as meant."""
    return Check(name, Level.WARNING, text, advice)


def error(name: str, text: str, advice: str = "") -> Check:
    """A sweep would fail, or somebody else could get in."""
    return Check(name, Level.ERROR, text, advice)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the sweep to come would be started with."""

    storage: Storage
    tracking_uri: str
    data: tuple[str, ...] = ()
    weights: str = ""
    address: str = ""
    """A dashboard (http://HOST:8265) or a head (HOST:6379); "": Ray would start here."""
    resources: Resources = field(default_factory=Resources)
    fix: bool = False
    root: Path = Path(__file__).parent.parent.parent
    """Of the checkout, if this is one."""
