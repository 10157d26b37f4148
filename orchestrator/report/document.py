"""The report as a value: sentences, grids and pictures in sections, for every page format."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.report.drawing import Picture
from orchestrator.report.grid import Grid


@dataclass(frozen=True)
class Section:
    """Shown in this order: text, points, grids, commands, pictures."""

    heading: str
    text: Sequence[str] = ()
    points: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    commands: Sequence[str] = ()
    pictures: Sequence[Picture] = ()

    @property
    def says_something(self) -> bool:
        """Whether there is more than a heading."""
        return any((self.text, self.points, self.grids, self.commands, self.pictures))


@dataclass(frozen=True)
class Document:
    """A report: the question, the answer a data set, and the sections."""

    title: str
    answers: Sequence[tuple[str, str]]
    """Data set and sentence."""
    source: str
    warnings: Sequence[str] = field(default_factory=list)
    sections: Sequence[Section] = field(default_factory=list)

    @property
    def pictures(self) -> list[Picture]:
        """Those of all sections."""
        return [picture for section in self.sections for picture in section.pictures]

    @property
    def grids(self) -> list[Grid]:
        """Those of all sections."""
        return [grid for section in self.sections for grid in section.grids]
