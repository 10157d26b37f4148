"""The report as a value: sentences, grids and pictures in sections, for every page format."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.answers import sentence
from orchestrator.report import differences, factors, running
from orchestrator.report.figures import Picture, pictures
from orchestrator.report.grid import Grid
from orchestrator.report.orderings import NOISE, orderings
from orchestrator.report.results import further_grid, headline_grid, source_name
from orchestrator.report.table import Group, Table
from orchestrator.report.trial_pictures import trial_pictures
from orchestrator.storage import Storage


@dataclass(frozen=True)
class Section:
    """Shown in this order: text, points, grids, commands, pictures."""

    heading: str
    text: Sequence[str] = ()
    points: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    commands: Sequence[str] = ()
    pictures: Sequence[Picture] = ()


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


def document(table: Table, storage: Storage) -> Document:
    """Everything that a report says."""
    sections = [
        Section("Results", grids=[headline_grid(table), further_grid(table)]),
        _beside_thesis(table),
        _effects(table),
        Section("Pictures", pictures=pictures(table)),
        Section("What the trials look at", pictures=trial_pictures(table, storage)),
        _differing(table),
        _run(table, storage),
    ]
    return Document(
        title=table.sweep.question,
        answers=[(group.name, sentence(group.answer)) for group in table.groups],
        source=f"Source: {table.sweep.source}.",
        warnings=_warnings(table),
        sections=[section for section in sections if _says_something(section)],
    )


def _says_something(section: Section) -> bool:
    return any((section.text, section.points, section.grids, section.commands, section.pictures))


def _warnings(table: Table) -> list[str]:
    found = []
    if table.groups[0].answer.oracle:
        found.append(
            "Oracle: epochs and the best cell are chosen on the test split, which no honest "
            "choice may see."
        )
    if _rivals(table) and any(group.question.seeds == 1 for group in table.groups):
        found.append(NOISE)
    for group in table.groups:
        if group.answer.best and table.has_thesis and (unlike := differences.unlike(group)):
            found.append(
                f"{group.name}: not like for like with the thesis ({unlike}); mAP@50 also depends "
                "on how many images a class has. All differences stand below."
            )
        lacking = len(group.trials) - len(group.records)
        if lacking:
            found.append(f"{group.name}: {lacking} of {len(group.trials)} trials are missing.")
        if group.answer.undecided:
            found.append(f"{group.name}: still undecided: {group.answer.undecided}.")
        if dropped := sum(row.dropped for row in group.answer.rows):
            found.append(f"{group.name}: {dropped} unreadable samples were dropped.")
    return found


def _rivals(table: Table) -> bool:
    return len(table.labels) > 1


def _beside_thesis(table: Table) -> Section:
    points = [f"{group.name}: {line}" for group in table.groups for line in orderings(table, group)]
    if not points:
        return Section("")
    text = [
        f"Whether the thesis' order ({source_name(table)}) of {table.baseline} and each other "
        "cell holds here, by R@1 summed over both directions on the test split. (The best cell "
        "above is chosen on the split that selects, which may rank them otherwise.)"
    ]
    noise = [NOISE] if _any_alone(table.groups) else []
    return Section("Does the thesis' ordering hold?", text + noise, points)


def _effects(table: Table) -> Section:
    if not factors.is_factorial(table.sweep.design):
        return Section("")
    grid = factors.effects_grid(table)
    noise = [NOISE] if grid and _any_alone(table.groups) else []
    grids = [grid] if grid else []
    return Section("Effects of the factors", [*factors.incomplete(table), *noise], grids=grids)


def _any_alone(groups: Sequence[Group]) -> bool:
    return any(group.question.seeds == 1 for group in groups)


def _differing(table: Table) -> Section:
    grids = [differences.fields_grid(table), differences.data_grid(table)]
    return Section("How this differs from the thesis", grids=grids)


def _run(table: Table, storage: Storage) -> Section:
    lacking = [line for group in table.groups for line in running.missing_trials(group, storage)]
    places = "; ".join(
        f"{group.question.dataset.upper()} has the manifest {group.question.base.data}"
        for group in table.groups
    )
    text = [f"The commands below repeat it, where {places}."]
    grids = [running.running_grid(table)]
    return Section("How it was run", text, lacking, grids, running.commands(table, storage))
