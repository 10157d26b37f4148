"""A query and what it found as one HTML page: pictures and sounds within, no script, no network."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from orchestrator.query.found import Found

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """Of the query, with what it shows in words for those who do not see it."""

    content: bytes
    kind: str
    """E.g. `image/png`."""
    alt: str
    caption: str


@dataclass(frozen=True)
class Answer:
    """All that the page says."""

    title: str
    source: str
    heading: str
    pictures: Sequence[Picture]
    found: Sequence[Found]
    captions: bool
    """Whether captions were found, not images."""
    flac: bytes = b""
    """A spoken query."""


def page(answer: Answer) -> str:
    """The page; all text in it is escaped."""
    loader = FileSystemLoader(_HERE)
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.filters |= {"data": _data, "hash": _hash}
    style = Markup((_HERE / "page.css").read_text(encoding="utf-8"))  # noqa: S704 (it is ours)
    return templates.get_template("page.html").render(answer=answer, style=style)


def _data(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _hash(content: str) -> Markup:
    """As a Content-Security-Policy names what may stand inline (CSP 3, §2.3.1)."""
    digest = hashlib.sha256(str(content).encode()).digest()
    return Markup("sha256-" + base64.b64encode(digest).decode())  # noqa: S704
