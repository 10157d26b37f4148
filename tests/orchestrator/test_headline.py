"""Headline metrics: the thesis' mAP@50 is `map50_thesis`, and no value stands beside another."""

import pytest

from orchestrator.headline import every, further, headline
from search_spaces.thesis_values import DATASETS, value


@pytest.mark.parametrize("dataset", [*DATASETS, "synth"])
def test_every_mean_average_precision_and_chance_are_shown_once(dataset):
    shown = [metric.name for metric in headline(dataset) + further(dataset)]
    assert len(shown) == len(set(shown))
    assert {"r1", "map50", "map50_thesis", "chance"} <= set(shown)


@pytest.mark.parametrize(
    ("dataset", "table"), [("oxford102", "table_5_6"), ("flickr8k", "table_5_4")]
)
def test_what_the_thesis_prints_is_headline_and_nothing_else_is(dataset, table):
    def printed(metric):
        place = {"dataset": dataset, "direction": "s2i", "metric": metric.name}
        return value(table, "VFSEL (proposed)", **place) is not None

    assert [metric for metric in every() if printed(metric)] == headline(dataset)
