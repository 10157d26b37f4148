"""Spot checks against the printed tables."""

import csv
from importlib.resources import files

import pytest

from search_spaces.thesis_values import SINGLE_CHECKPOINT, value


@pytest.mark.parametrize(
    ("table", "row", "dataset", "direction", "metric", "printed"),
    [
        ("table_5_4", "VFSEL (proposed)", "flickr8k", "i2s", "medr", 10.0),
        ("table_5_4", "Chrupala et al. [5]", "flickr8k", "s2i", "r10", 25.3),
        ("table_5_5", "Harwath et al. [11]", "cub200", "s2i", "r1", 6.85),
        ("table_5_6", "w/o att", "cub200", "i2s", "map50_thesis", 34.98),
        ("table_5_7", "att-I|B4", "oxford102", "i2s", "r1", 59.43),
        ("gamma_sweep_author_logs", "gamma=1", "cub200", "s2i", "r1", 21.71),
        (*SINGLE_CHECKPOINT, "oxford102", "s2i", "map50_thesis", 42.48),
    ],
)
def test_values_are_those_printed(table, row, dataset, direction, metric, printed):
    assert value(table, row, dataset=dataset, direction=direction, metric=metric) == printed


@pytest.mark.parametrize(
    ("row", "dataset", "metric"),
    [
        ("VFSEL (proposed)", "synth", "r1"),
        ("VFSEL (proposed)", "oxford102", "map50"),  # another definition than the thesis'
        ("VFSEL (proposed)", "oxford102", "r5"),
        ("nobody", "oxford102", "r1"),
    ],
)
def test_what_the_thesis_does_not_have_is_none(row, dataset, metric):
    found = value("table_5_6", row, dataset=dataset, direction="s2i", metric=metric)
    assert found is None


def test_shortened_labels_are_unique_in_their_table():
    for file in (files("search_spaces") / "thesis").iterdir():
        lines = list(csv.DictReader(file.read_text().splitlines()))
        cells = [
            (line["row_label"].partition(" (")[0], line["dataset"], line["direction"],
             line["metric"])
            for line in lines
        ]  # fmt: skip
        assert len(set(cells)) == len(cells), file.name
