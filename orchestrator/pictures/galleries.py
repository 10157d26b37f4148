"""What a trial finds: the first five results of good and bad queries (thesis Figures 5.3, 5.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_shards import draws, samples
from data_shards.raw import Raw
from orchestrator.pictures import paper
from orchestrator.pictures.subject import SEED, NotDrawn, Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]
EACH = 2
"""Queries shown of each kind."""
KINDS = {"good": "at least 4 of 5 right", "bad": "at least 3 of 5 wrong"}
ALONE = {"good": "the right one is first", "bad": "the right one is not among 5"}
"""For images that are classes of their own, of which a caption can find but one."""


@dataclass(frozen=True)
class Gallery:
    """A direction's results on the test split. Q queries, S results of each, N images."""

    top_QS: Array
    """Place in the gallery of each result."""
    right_QS: Array
    """Whether it is of the query's class."""
    alone: bool = False
    """Whether each query has but one right result."""

    @property
    def rule(self) -> dict[str, str]:
        """What good and bad mean, in words."""
        return ALONE if self.alone else KINDS

    def kinds(self, direction: str) -> dict[str, tuple[list[int], int]]:
        """Good and bad: the queries to show, drawn among so many that qualify."""
        right_Q, wrong_Q = self.right_QS.sum(axis=1), (~self.right_QS).sum(axis=1)
        qualify = {"good": right_Q >= 4, "bad": wrong_Q >= 3}
        if self.alone:
            qualify = {"good": self.right_QS[:, 0], "bad": right_Q == 0}
        found = {}
        for kind, qualify_Q in qualify.items():
            places = np.flatnonzero(qualify_Q)
            drawn = draws.rng(SEED, "shown queries", direction, kind).permutation(len(places))
            found[kind] = ([int(places[number]) for number in drawn[:EACH]], len(places))
        return found


def gallery(queries: dict[str, Array], direction: str) -> Gallery:
    """A direction's results, with a tick where image and caption are of one class.

    Raises:
        NotDrawn: the record was written before results were kept.
    """
    if f"{direction}_top" not in queries or "caption_number" not in queries:
        raise NotDrawn("its record is older than the lists of first results")
    image_class = queries["image_class"]
    speech_class = image_class[queries["caption_image"]]
    asked, asked_of = (
        (speech_class, image_class) if direction == "s2i" else (image_class, speech_class)
    )
    top_QS = queries[f"{direction}_top"]
    alone = direction == "s2i" and len(np.unique(image_class)) == len(image_class)
    return Gallery(top_QS, asked[:, None] == asked_of[top_QS], alone)


def speech_to_image(subject: Subject) -> "Figure":
    """Figure 5.3: images found for a spoken caption.

    Raises:
        NotDrawn: as `gallery`.
    """
    return _Sheet(subject, "s2i").draw("Images found for a spoken caption")


def image_to_speech(subject: Subject) -> "Figure":
    """Figure 5.4: spoken captions found for an image.

    Raises:
        NotDrawn: as `gallery`.
    """
    return _Sheet(subject, "i2s").draw("Spoken captions found for an image")


class _Sheet:
    """A picture of one direction: a row a query, the query and its results side by side."""

    def __init__(self, subject: Subject, direction: str) -> None:
        self._subject = subject
        self._direction = direction
        self._found = gallery(subject.queries, direction)
        self._kinds = self._found.kinds(direction)
        self._raws = samples.at_rows(subject.data, "test", self._rows())

    def draw(self, title: str) -> "Figure":
        asked = [(kind, query) for kind, (shown, _) in self._kinds.items() for query in shown]
        speech = self._direction == "s2i"
        widths = [2.0, *[paper.ROW] * self._found.top_QS.shape[1]] if speech else [paper.ROW, 7.5]
        figure, cells = paper.sheet(
            f"{title}, {self._subject.where}", self._note(), rows=max(1, len(asked)),
            widths=widths, gap=0.5, top=0.9,
        )  # fmt: skip
        for axes in cells.flat:
            axes.set_axis_off()
        for row, (kind, query) in zip(cells, asked, strict=False):
            self._images(row, kind, query) if speech else self._captions(row, kind, query)
        return figure

    def _images(self, cells: "Sequence[Axes]", kind: str, query: int) -> None:
        own = self._name(int(self._subject.queries["caption_image"][query]))
        paper.write(cells[0], f"{kind}:\n“{self._text(query)}”\n({own})", width=28)
        for axes, place, right in zip(cells[1:], *self._results(query), strict=True):
            paper.show(axes, paper.photograph(self._raw(place)))
            sign, colour = paper.mark(right)
            label = paper.wrapped(f"{sign} {self._name(place)}", 26)
            axes.set_title(label, color=colour, fontsize=paper.SMALL)

    def _captions(self, cells: "Sequence[Axes]", kind: str, query: int) -> None:
        paper.show(cells[0], paper.photograph(self._raw(query)))
        label = paper.wrapped(f"{kind}: {self._name(query)}", 26)
        cells[0].set_title(label, fontsize=paper.SMALL)
        lines = list(zip(*self._results(query), strict=True))
        for number, (place, right) in enumerate(lines):
            sign, colour = paper.mark(right)
            name = self._name(int(self._subject.queries["caption_image"][place]))
            text = paper.wrapped(f"{sign} “{self._text(place)}” ({name})", 110)
            height = 1 - (number + 0.5) / len(lines)
            cells[1].text(0, height, text, color=colour, fontsize=paper.SMALL + 1, va="center")

    def _results(self, query: int) -> tuple[Sequence[int], Sequence[bool]]:
        return self._found.top_QS[query].tolist(), self._found.right_QS[query].tolist()

    def _rows(self) -> list[int]:
        """Rows of all samples that are shown, as a query or as a result."""
        asked = [query for shown, _ in self._kinds.values() for query in shown]
        found = [int(place) for query in asked for place in self._found.top_QS[query]]
        speech, images = (asked, found) if self._direction == "s2i" else (found, asked)
        places = {*images, *(int(self._subject.queries["caption_image"][m]) for m in speech)}
        return [int(self._subject.queries["image_row"][place]) for place in places]

    def _raw(self, place: int) -> Raw:
        """The sample of an image, by its place in the gallery."""
        return self._raws[int(self._subject.queries["image_row"][place])]

    def _text(self, place: int) -> str:
        """What a caption says, by its place in the gallery."""
        queries = self._subject.queries
        raw = self._raw(int(queries["caption_image"][place]))
        return raw.texts[int(queries["caption_number"][place])]

    def _name(self, place: int) -> str:
        """Class of an image."""
        return self._subject.class_names[int(self._subject.queries["image_class"][place])]

    def _note(self) -> str:
        """How many queries there are of each kind, and where there were too few to show."""
        total = len(self._found.top_QS)
        said = []
        for kind, (shown, count) in self._kinds.items():
            few = f"; {len(shown) or 'none'} to show" if len(shown) < EACH else ""
            said.append(f"{kind}: {self._found.rule[kind]} ({count} of {total} queries{few})")
        return "   ".join(said) + ".\nDrawn at random; right: of the query's class."
