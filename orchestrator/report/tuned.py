"""What was tuned for each arm before the arms were compared (`--tune-first`)."""

from orchestrator.planning import Tuned
from orchestrator.report.document import Section
from orchestrator.report.grid import NOTHING, Grid, Head, Line
from orchestrator.report.table import Group, Table
from search_spaces.designs import format_value


def tuned_section(table: Table) -> Section:
    """Empty where nothing was tuned."""
    groups = [group for group in table.groups if group.question.tuned]
    if not groups:
        return Section("")
    text = [_how(tuned) for group in groups[:1] if (tuned := group.question.tuned)]
    heads = [Head(group.name, name=name) for group in groups for name in ("found", "study")]
    lines = [
        Line(label, [text for group in groups for text in _texts(group, label)])
        for label in table.labels
    ]
    caption = "What each arm was tuned to, on validation classes."
    grid = Grid("tuned", caption, heads, lines, numeric=False, stub="arm")
    return Section("Tuned before they were compared", text, grids=[grid])


def _how(tuned: Tuned) -> str:
    return (
        f"Each arm was searched with the same budget: {tuned.trials} trials of {tuned.sampler}, "
        f"early stopping {tuned.pruner}, scored on validation classes only, with a seed of its "
        "own. None of those trials is in this report: the arms were trained anew, in full, with "
        "other seeds."
    )


def _texts(group: Group, label: str) -> list[str]:
    tuned = group.question.tuned
    assert tuned is not None, "groups without are left out"
    point = tuned.points.get(label, {})
    found = ", ".join(f"{name}={format_value(value)}" for name, value in point.items())
    return [found or NOTHING, tuned.studies.get(label) or NOTHING]
