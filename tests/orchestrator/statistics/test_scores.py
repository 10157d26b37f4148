"""Scores a class, against values worked by hand."""

import numpy as np

from orchestrator.statistics.scores import metrics, parts, scores

QUERIES = {
    "image_class": np.array([7, 3, 7]),
    "caption_image": np.array([0, 0, 1, 2]),
    "s2i_rank": np.array([1, 2, 1, 4]),  # the gallery has 3 images: 4 is no hit
    "i2s_rank": np.array([1, 1, 6]),
    **{f"s2i_{name}": np.array([1.0, 0.5, 0.25, 0.0]) for name in ("map50", "map50_hits")},
    **{f"i2s_{name}": np.array([0.5, 1.0, 0.0]) for name in ("map50", "map50_hits")},
    "s2i_map50_thesis": np.zeros(4),
    "i2s_map50_thesis": np.zeros(3),
}


def test_sums_of_each_class_by_hand():
    found = scores(QUERIES)
    assert found is not None  # classes in order: 3, 7
    assert found.queries["s2i"].tolist() == [1, 3]
    assert found.queries["i2s"].tolist() == [1, 2]
    assert found.sums["s2i_r1"].tolist() == [100, 100]
    assert found.sums["s2i_r5"].tolist() == [100, 200]
    assert found.sums["i2s_r1"].tolist() == [100, 100]
    assert found.sums["s2i_map50"].tolist() == [25, 150]


def test_a_record_without_queries_has_none():
    assert scores({}) is None
    assert scores({"image_class": QUERIES["image_class"]}) is None


def test_other_queries_have_another_digest():
    other = QUERIES | {"caption_image": np.array([0, 1, 1, 2])}
    assert scores(QUERIES).asked != scores(other).asked


def test_the_sum_has_both_directions():
    assert parts("r1_sum") == ["s2i_r1", "i2s_r1"]
    assert parts("i2s_map50") == ["i2s_map50"]
    assert metrics()[0] == "r1_sum"
    assert {part for metric in metrics() for part in parts(metric)} == set(scores(QUERIES).sums)
