"""A report as one HTML page that needs nothing else: pictures within, no script, no network."""

import base64
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from orchestrator.report.document import Document
from orchestrator.report.figures import Picture
from orchestrator.report.grid import Grid, Line


def page(report: Document) -> str:
    """The page; all text in it is escaped."""
    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.globals |= {"blocks": _blocks, "source": _source}
    return templates.get_template("page.html").render(report=report)


def _source(picture: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.content).decode()


def _blocks(grid: Grid) -> list[tuple[str, list[Line]]]:
    """Lines of one label together: a block of rows with one head."""
    return [(label, list(lines)) for label, lines in groupby(grid.lines, lambda line: line.label)]
