"""A search's pictures: which there are, and that none says more than the trials do."""

import pytest

from data_shards.errors import UsageError
from orchestrator.search import pictures
from orchestrator.search.report import check_export
from orchestrator.search.study import frozen_study
from tests.orchestrator.search.objective import question, searched

ALL = {"history", "importance", "slice", "contour", "parallel", "epochs"}


def _study(folder, trials):
    asked = {"sampler": "random", "pruner": "none"}
    return frozen_study(question(**asked), searched(folder, trials, **asked).books)


def test_importance_and_contour_need_enough_full_trials(tmp_path):
    enough = _study(tmp_path / "enough", pictures.FEWEST)
    few = _study(tmp_path / "few", pictures.FEWEST - 1)
    assert sum(pictures.importance(enough).values()) == pytest.approx(1)
    assert pictures.importance(few) == {}
    drawn = pictures.draw(enough)
    assert {picture.name for picture in drawn} == ALL == set(pictures.NAMES)
    assert all(picture.content.startswith(b"\x89PNG") for picture in drawn)
    assert all(f"of {pictures.FEWEST} full trials" in picture.alt for picture in drawn)
    assert {picture.name for picture in pictures.draw(few)} == ALL - {"importance", "contour"}


def test_a_single_full_trial_has_no_picture(tmp_path):
    assert pictures.draw(_study(tmp_path, 1)) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("tune.db", "must be sqlite:///FILE"),
        ("sqlite:///", "must be sqlite:///FILE"),
        ("sqlite:////no/such/tune.db", "must lie in a folder, but /no/such is none"),
    ],
)
def test_a_wrong_export_is_said_before_anything_is_drawn(url, said):
    with pytest.raises(UsageError, match=said):
        check_export(url)
