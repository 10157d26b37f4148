"""A report as one HTML page that needs nothing else: pictures within, no network.

A small script lets its reader sort and filter tables and choose light or dark; without it, the page
says the same.
"""

import base64
import hashlib
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from orchestrator.report.document import Document
from orchestrator.report.drawing import Picture
from orchestrator.report.grid import Grid, Line

_HERE = Path(__file__).parent


def page(report: Document) -> str:
    """The page; all text in it is escaped, and only its own script may run."""
    loader = FileSystemLoader(_HERE)
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.globals |= {"blocks": _blocks, "source": _source}
    templates.filters |= {"hash": _hash, "breakable": _breakable}
    own = {name: _own(file) for name, file in (("style", "page.css"), ("script", "page.js"))}
    return templates.get_template("page.html").render(report=report, **own)


def _own(file: str) -> Markup:
    """A file of ours, which is not escaped."""
    return Markup((_HERE / file).read_text(encoding="utf-8"))  # noqa: S704


def _hash(content: str) -> Markup:
    """As a Content-Security-Policy names what may stand inline (CSP 3, §2.3.1)."""
    digest = hashlib.sha256(str(content).encode()).digest()
    return Markup("sha256-" + base64.b64encode(digest).decode())  # noqa: S704


def _breakable(label: str) -> Markup:
    """A label, escaped, that a narrow column may break behind its signs."""
    return escape(label).replace("=", Markup("=<wbr>")).replace("_", Markup("_<wbr>"))


def _source(picture: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.content).decode()


def _blocks(grid: Grid) -> list[tuple[str, list[Line]]]:
    """Lines of one label together: a block of rows with one head."""
    return [(label, list(lines)) for label, lines in groupby(grid.lines, lambda line: line.label)]
