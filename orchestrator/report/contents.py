"""What a sweep's report says, in its order: the table turned into a document."""

from collections.abc import Sequence

from orchestrator.report import differences, factors, reproducing, running
from orchestrator.report.comparing import answer_sentence, comparison_grid, interval
from orchestrator.report.cost import cost_grid
from orchestrator.report.document import Document, Section
from orchestrator.report.figures import pictures
from orchestrator.report.orderings import NOISE, orderings
from orchestrator.report.results import further_grid, headline_grid, source_name
from orchestrator.report.stated import flattered
from orchestrator.report.table import Group, Table
from orchestrator.report.trial_pictures import trial_pictures
from orchestrator.report.tuned import tuned_section
from orchestrator.storage import Storage


def document(table: Table, storage: Storage, damaged: Sequence[str] = ()) -> Document:
    """Everything that a report says.

    Args:
        damaged: a sentence for each file that had to be left out.
    """
    sections = [
        _results(table),
        tuned_section(table),
        _beside_thesis(table),
        _effects(table),
        Section("Pictures", pictures=pictures(table)),
        Section("What the trials look at", pictures=trial_pictures(table, storage)),
        _failures(table, storage),
        Section("Cost", grids=[cost_grid(table)]),
        _differing(table),
        _run(table, storage),
    ]
    return Document(
        title=table.sweep.question,
        answers=[(group.name, answer_sentence(group)) for group in table.groups],
        source=f"Source: {table.sweep.source}.",
        warnings=[*_left_out(damaged), *_warnings(table), *_flattered(table, storage)],
        sections=[section for section in sections if section.says_something],
    )


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


def _results(table: Table) -> Section:
    compared = comparison_grid(table)
    grids = [compared] if compared else []
    return Section("Results", grids=[*grids, headline_grid(table), further_grid(table)])


def _left_out(damaged: Sequence[str]) -> list[str]:
    return [f"Left out: {each}" for each in damaged]


def _flattered(table: Table, storage: Storage) -> list[str]:
    """What choosing on the test split adds, where the records hold both choices."""
    found = [(group.name, flattered(group.question, storage)) for group in table.groups]
    return [
        f"{name}: choosing each epoch on the test split (oracle) instead of validation classes "
        f"flatters R@1 sum by {interval(more, 1, sign=True)} points on average here."
        for name, more in found
        if more
    ]


def _failures(table: Table, storage: Storage) -> Section:
    lacking = [line for group in table.groups for line in running.missing_trials(group, storage)]
    dropped = [line for group in table.groups for line in running.dropped(group)]
    return Section("What failed, is missing or was dropped", points=[*lacking, *dropped])


def _run(table: Table, storage: Storage) -> Section:
    places = "; ".join(
        f"{group.question.dataset.upper()} has the manifest {group.question.base.data}"
        for group in table.groups
    )
    text = [f"The commands below repeat it, where {places}: all of it, then each row alone."]
    grids = [running.running_grid(table)]
    return Section("How it was run", text, (), grids, reproducing.commands(table, storage))
