"""Contract over every sampler: inside the space, reproducible, fed by the results."""

import pytest

from orchestrator.search import samplers
from orchestrator.search.question import SAMPLERS
from orchestrator.search.study import Study
from orchestrator.storage import Storage
from search_spaces.search import Range
from tests.orchestrator.search.objective import EPOCHS, question, searched


def test_every_name_has_a_sampler():
    assert tuple(samplers._MAKERS) == SAMPLERS


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("also", [(), ("image_attention", "speech_attention")])
def test_what_is_suggested_lies_in_the_space(name, also, tmp_path):
    study = searched(tmp_path, 12, sampler=name, pruner="none", also=also)
    for entry in study.books:
        assert set(entry.params) == set(study.question.space)
        for field, over in study.question.space.items():
            value = entry.params[field]
            assert over.low <= value <= over.high if isinstance(over, Range) else value in over


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_suggests_the_same_and_another_does_not(name, tmp_path):
    first = searched(tmp_path / "a", 12, sampler=name)
    assert searched(tmp_path / "b", 12, sampler=name).books == first.books
    assert searched(tmp_path / "c", 12, sampler=name, seed=1).books != first.books


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "random"])
def test_it_learns_from_the_results(name, tmp_path):
    """Its later suggestions are nearer to the best point than random ones."""
    best = {
        sampler: sorted(
            entry.values[1] for entry in searched(
                tmp_path / sampler, 40, sampler=sampler, pruner="none"
            ).books[20:]
        )[10]
        for sampler in (name, "random")
    }  # fmt: skip
    assert best[name] > best["random"]


def test_cmaes_starts_from_the_past_after_a_restart(tmp_path):
    """Its state is not stored (it would be a pickle), what it found is used."""
    asked = {"sampler": "cmaes", "pruner": "none"}
    before = searched(tmp_path, 30, **asked)
    after = searched(tmp_path, 50, **asked)
    assert after.books[:30] == before.books
    early, late = (
        sorted(entry.values[1] for entry in part)[10]
        for part in (after.books[:20], after.books[30:])
    )
    assert late > early


def test_a_point_of_the_space_is_an_experiment():
    point = {"gamma": 5.0, "learning_rate": 1e-3, "weight_decay": 1e-4}
    found = question().experiment(point).flat()
    assert point.items() <= found.items()


@pytest.mark.parametrize("name", SAMPLERS)
def test_no_point_is_suggested_twice_not_even_while_it_is_trained(name, tmp_path):
    """Better and better towards one corner: a Gaussian process goes there and stays."""
    study = Study(question(sampler=name, pruner="none"), Storage(str(tmp_path)))
    open_trials = [study.ask() for _ in range(4)]
    while len(study.books) < 24:
        number = open_trials.pop(0)
        for epoch in range(1, EPOCHS + 1):
            study.report(number, epoch=epoch, score=study.books[number].params["gamma"])
        open_trials.append(study.ask())
    assert len({study.trial(entry.number).id for entry in study.books}) == 24
