"""A report as Markdown, its pictures beside it."""

from collections.abc import Callable, Iterable

from orchestrator.report.document import Document, Section
from orchestrator.report.drawing import Picture
from orchestrator.report.grid import Grid

Named = Callable[[Picture], str]
"""File name of a picture."""
_MARKUP = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "&#96;", "|": "&#124;"}
    | {sign: f"\\{sign}" for sign in "\\*[]"}
)


def markdown(report: Document, named: Named) -> str:
    """The page. `named` gives the file name of a picture, beside the page."""
    lines = [f"# {escape(report.title)}", ""]
    lines += [f"**{escape(name)}**: {escape(sentence)}\n" for name, sentence in report.answers]
    lines += [escape(report.source), ""]
    lines += [f"> **Note.** {escape(warning)}\n>" for warning in report.warnings]
    for section in report.sections:
        lines += ["", f"## {escape(section.heading)}", "", *_section(section, named)]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Text as Markdown shows it, on one line: no tag, link, code or cell begins or ends in it."""
    return " ".join(text.split()).translate(_MARKUP)


def _section(section: Section, named: Named) -> Iterable[str]:
    yield from (f"{escape(text)}\n" for text in section.text)
    yield from (f"- {escape(point)}" for point in section.points)
    for grid in section.grids:
        yield from ["", f"**{escape(grid.caption)}**", "", *_grid(grid), ""]
        yield from (f"{escape(note)}\n" for note in grid.notes)
    if section.commands:
        yield from ["```sh", *section.commands, "```"]
    for picture in section.pictures:
        yield from [f"![{escape(picture.alt)}]({named(picture)})", "", escape(picture.caption), ""]


def _grid(grid: Grid) -> list[str]:
    """Markdown has one line of heads: a column's own says all of its levels."""
    single = len({head.group for head in grid.heads}) == 1
    names = [" ".join(head.levels[1 if single else 0 :]).strip() for head in grid.heads]
    first = grid.heads[0].group if single else ""
    kinds = [""] if grid.has_kinds else []
    align = "---:" if grid.numeric else "---"
    head = _row([first, *kinds, *names])
    rule = f"|{'---|' * (1 + len(kinds))}{f'{align}|' * len(names)}"
    return [head, rule, *_rows(grid)]


def _rows(grid: Grid) -> Iterable[str]:
    before = ""
    for line in grid.lines:
        kind = [line.kind] if grid.has_kinds else []
        yield _row([line.label if line.label != before else "", *kind, *line.cells])
        before = line.label


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(escape, cells))} |"
