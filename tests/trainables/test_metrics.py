import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainables import slow_ranking
from trainables.metrics import average_precisions, retrieval
from trainables.ranking import Ranks


def precisions(hits: list[int], *, relevant: int) -> dict[str, float]:
    """Average precisions of one query with hits at these ranks (from 1) in a top 50."""
    hit = torch.zeros(1, 50, dtype=torch.bool)
    hit[0, [rank - 1 for rank in hits]] = True
    top = torch.zeros(1, 5, dtype=torch.int32)
    ranks = Ranks(torch.tensor([1]), torch.tensor([relevant]), hit, top)
    return {name: float(value) for name, value in average_precisions(ranks).items()}


def test_average_precision_worked_by_hand():
    # Hits at ranks 1, 3, 6 of 4 relevant items.
    found = precisions([1, 3, 6], relevant=4)
    assert found["map50"] == pytest.approx((1 / 1 + 2 / 3 + 3 / 6) / 4)
    assert found["map50_hits"] == pytest.approx((1 / 1 + 2 / 3 + 3 / 6) / 3)
    assert found["map50_thesis"] == pytest.approx((1 + 1 / 3 + 2 / 6) / 3)


def test_a_late_first_hit_counts_nothing_in_the_thesis_definition():
    found = precisions([4], relevant=1)
    assert found == {"map50": 0.25, "map50_hits": 0.25, "map50_thesis": 0.0}


def test_a_perfect_list_has_93_percent_in_the_thesis_definition():
    found = precisions(list(range(1, 51)), relevant=300)
    assert found["map50"] == pytest.approx(1)
    assert found["map50_hits"] == pytest.approx(1)
    assert found["map50_thesis"] == pytest.approx(0.930, abs=5e-4)


def test_no_hit_gives_zero():
    assert set(precisions([], relevant=0).values()) == {0.0}
    assert set(precisions([], relevant=7).values()) == {0.0}


def test_metrics_of_a_table_worked_by_hand():
    # Three captions of classes 0, 0, 1 and two images of classes 0, 1; scores are readable off.
    speech = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    image = torch.eye(2)
    found = retrieval(speech, image, torch.tensor([0, 0, 1]), torch.tensor([0, 1]))
    assert found.queries["s2i_rank"].tolist() == [1, 2, 1]
    assert found.queries["i2s_rank"].tolist() == [1, 2]  # image 1: 0.8 (class 0), 0.7 (class 1)
    assert found.queries["s2i_top"].tolist() == [[0, 1], [1, 0], [1, 0]]
    assert found.queries["i2s_top"].tolist() == [[0, 2, 1], [1, 2, 0]]
    assert found.queries["i2s_map50"].tolist() == pytest.approx([(1 + 2 / 3) / 2, 1 / 2])
    expected = {
        "s2i_r1": 200 / 3, "s2i_r5": 100.0, "s2i_medr": 1.0, "s2i_chance": 50.0,
        "i2s_r1": 50.0, "i2s_r10": 100.0, "i2s_medr": 1.5, "i2s_chance": 50.0,
        "r1_sum": 200 / 3 + 50,
    }  # fmt: skip
    assert {name: found.metrics[name] for name in expected} == pytest.approx(expected)


def test_all_names_are_there():
    found = retrieval(torch.eye(2), torch.eye(2), torch.arange(2), torch.arange(2))
    names = ("r1", "r5", "r10", "medr", "map50", "map50_hits", "map50_thesis", "chance")
    expected = {f"{side}_{name}" for side in ("s2i", "i2s") for name in names} | {"r1_sum"}
    assert set(found.metrics) == expected
    values = ("rank", "map50", "map50_hits", "map50_thesis", "top")
    assert set(found.queries) == {f"{side}_{name}" for side in ("s2i", "i2s") for name in values}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32), captions=st.integers(1, 90), images=st.integers(1, 90),
    classes=st.integers(1, 5), chunk=st.integers(1, 400),
)  # fmt: skip
def test_equals_the_slow_way_with_many_ties(seed, captions, images, classes, chunk):
    rng = np.random.default_rng(seed)
    # Entries of ±1/2 in four dimensions: unit norm, exact products and hence exact ties.
    speech, image = (rng.choice([-0.5, 0.5], (n, 4)).astype(np.float32) for n in (captions, images))
    speech_class, image_class = (rng.integers(classes, size=n) for n in (captions, images))
    found = retrieval(
        *map(torch.from_numpy, (speech, image, speech_class, image_class)), chunk_scores=chunk
    )
    for side, arguments in {
        "s2i": (speech, image, speech_class, image_class),
        "i2s": (image, speech, image_class, speech_class),
    }.items():
        summary, values = slow_ranking.direction(*arguments)
        # Numbers of a stable sort by score are those of argsort.
        order = np.argsort(-(arguments[0] @ arguments[1].T), axis=1, kind="stable")
        np.testing.assert_array_equal(found.queries[f"{side}_top"], order[:, :5])
        for name, value in values.items():
            np.testing.assert_allclose(found.queries[f"{side}_{name}"], value, rtol=1e-12)
        for name, value in summary.items():
            assert found.metrics[f"{side}_{name}"] == pytest.approx(value), (side, name)


def test_random_embeddings_find_at_chance():
    generator = torch.Generator().manual_seed(0)
    speech, image = (torch.randn(n, 16, generator=generator) for n in (3000, 2000))
    classes = [torch.randint(8, (n,), generator=generator) for n in (3000, 2000)]
    found = retrieval(speech, image, *classes).metrics
    for side, queries in (("s2i", 3000), ("i2s", 2000)):
        chance = found[f"{side}_chance"]
        deviation = 100 * (0.125 * 0.875 / queries) ** 0.5
        assert chance == pytest.approx(12.5, abs=0.5)
        # The queries share a gallery, so their results are not quite independent.
        assert found[f"{side}_r1"] == pytest.approx(chance, abs=6 * deviation)


def test_a_collapsed_model_scores_at_chance():
    speech, image = (torch.full((n, 4), 0.5) for n in (400, 200))
    found = retrieval(speech, image, torch.arange(400) % 10, torch.arange(200) % 10).metrics
    for side in ("s2i", "i2s"):
        assert found[f"{side}_r1"] == pytest.approx(found[f"{side}_chance"])
        assert found[f"{side}_map50_hits"] < 40


def test_a_query_without_relevant_items_counts_as_failed():
    found = retrieval(torch.eye(2), torch.eye(2), torch.tensor([0, 9]), torch.tensor([0, 1]))
    assert found.queries["s2i_rank"].tolist() == [1, 3]
    assert found.queries["s2i_map50"].tolist() == [1, 0]
    assert found.metrics["s2i_r5"] == 50
    assert found.metrics["s2i_chance"] == 25


def test_embeddings_made_in_inference_mode_and_with_gradients():
    classes = torch.zeros(60, dtype=torch.int64)
    with torch.inference_mode():
        frozen = torch.ones(60, 2)
    assert retrieval(frozen, frozen, classes, classes).metrics["s2i_r1"] == 100
    live = torch.ones(60, 2, requires_grad=True)
    assert retrieval(live, live, classes, classes).metrics["s2i_r1"] == 100


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_broken_embeddings_are_refused(value):
    image = torch.eye(2)
    image[1, 0] = value
    with pytest.raises(ValueError, match="image embeddings must be finite, but 1 of 2 are not"):
        retrieval(torch.eye(2), image, torch.arange(2), torch.arange(2))


def test_empty_sides_are_refused():
    none = torch.zeros(0, 2)
    with pytest.raises(ValueError, match="at least one speech embedding"):
        retrieval(none, torch.eye(2), torch.zeros(0, dtype=torch.int64), torch.arange(2))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_equals_cpu():
    speech, image = torch.eye(60).repeat(2, 1), torch.eye(60)
    classes = torch.arange(120) % 7, torch.arange(60) % 7
    cpu = retrieval(speech, image, *classes)
    gpu = retrieval(speech.cuda(), image.cuda(), *classes)
    assert gpu.metrics == cpu.metrics


_MEMORY = """
import resource, sys, torch
from trainables.metrics import retrieval
captions, images, size = map(int, sys.argv[1:4])
generator = torch.Generator().manual_seed(0)
speech = torch.nn.functional.normalize(torch.randn(captions, size, generator=generator))
image = torch.nn.functional.normalize(torch.randn(images, size, generator=generator))
if sys.argv[4] == "collapsed":
    speech[:], image[:] = speech[0].clone(), speech[0].clone()
# Warm up: the libraries' own buffers are no part of the promise.
retrieval(speech[:64], image[:64], torch.arange(64) % 5, torch.arange(64) % 5)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
retrieval(speech, image, torch.arange(captions) % 50, torch.arange(images) % 50)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def _grown_mib(captions: int, images: int, size: int, kind: str) -> float:
    """Peak memory of the metrics beyond the embeddings, in a process of its own."""
    command = [sys.executable, "-c", _MEMORY, *map(str, (captions, images, size)), kind]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def test_cub_sized_galleries_are_never_scored_at_once():
    # All scores of one direction are 328 MiB, and each comparison of them a quarter of that.
    assert _grown_mib(29_330, 2_933, 16, "random") < 300


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["random", "collapsed"])
def test_cub_test_set_needs_less_than_one_gib(kind):
    assert _grown_mib(29_330, 2_933, 2_048, kind) < 1024
