"""What the pictures of a report share: a canvas without a display, PNG, names."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.report.table import Group

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A PNG with its words: `name` ends its file's name, `alt` says what is to be seen."""

    name: str
    caption: str
    alt: str
    content: bytes


def canvas(*, height: float) -> "Figure":
    """Nine inches wide."""
    from matplotlib.figure import Figure  # without pyplot: no display, no global state

    return Figure(figsize=(9, height), layout="constrained")


def png(figure: "Figure") -> bytes:
    """The figure as a file's content."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()


def colour(place: int, count: int) -> Any:
    """Of one of so many cells."""
    from matplotlib import colormaps

    colours = colormaps["tab20" if count > 10 else "tab10"].colors  # type: ignore[attr-defined]
    return colours[place % len(colours)]


def oracle(group: Group) -> str:
    """The label of whatever the test split chose."""
    return " [oracle: chosen on the test split]" if group.answer.oracle else ""


def suffix(group: Group) -> str:
    """Of a file's name: the data set, and which one of several of it."""
    return "-" + group.name.replace(" [", "-").rstrip("]")
