"""A trainable of one's own is held to its contract; the toolkit resumes and measures as VFSEL."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_shards.errors import UsageError
from tests import made
from trainables import own_training
from trainables.evaluation import places
from trainables.own import Source, read
from trainables.presets import PRESETS
from trainables.settings import Settings
from trainables.toolkit import features, measure
from trainables.training import Outcome, TrainingError

TEMPLATE = Path(__file__).parents[2] / "orchestrator" / "templates" / "trainable.py"
REPORT = (
    "Report(epoch={}, loss=1.0, learning_rate=0.0, metrics={{}}, seconds=1.0, pairs_per_second=1.0)"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


@pytest.fixture(scope="module")
def given(data, tmp_path_factory):
    return {"data": data, "cache": tmp_path_factory.mktemp("cache")}


def _experiment(source, data, **changes):
    changes = {"batch_size": 16, "epochs": 3, "data": data.manifest.hash} | changes
    return source.experiment(PRESETS["demo"]).replace(**changes)


def _run(experiment, source, given, folder):
    """Reports and outcome."""
    training = own_training.train(experiment, source, checkpoints=str(folder), **given)
    reports = []
    while True:
        try:
            reports.append(next(training))
        except StopIteration as end:
            return reports, end.value


def _result(outcome: Outcome):
    return outcome.epoch, outcome.selection, outcome.test, outcome.queries["s2i_rank"].tolist()


def _losses(reports):
    return [(report.epoch, report.loss, report.metrics) for report in reports]


def test_continued_from_any_epoch_it_is_the_same(data, given, tmp_path):
    source = read(TEMPLATE)
    experiment = _experiment(source, data)
    reports, whole = _run(experiment, source, given, tmp_path / "whole")
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert reports[-1].loss < reports[0].loss
    for done in (1, 2):
        folder = tmp_path / str(done)
        cut = own_training.train(experiment, source, checkpoints=str(folder), **given)
        for _ in range(done):
            next(cut)
        again, outcome = _run(experiment, source, given, folder)
        assert _losses(again) == _losses(reports)
        assert _result(outcome) == _result(whole)


def test_the_seed_and_the_parameters_matter(data, given, tmp_path):
    source = read(TEMPLATE)
    first = _run(_experiment(source, data), source, given, tmp_path / "0")[0]
    for name, changes in {"seed": {"seed": 1}, "lr": {"lr": 0.1}}.items():
        other = _run(_experiment(source, data, **changes), source, given, tmp_path / name)[0]
        assert _losses(other) != _losses(first)


def test_with_selection_last_nothing_is_measured_in_between(data, given, tmp_path):
    source = read(TEMPLATE)
    experiment = _experiment(source, data, selection="last")
    reports, outcome = _run(experiment, source, given, tmp_path)
    assert [report.metrics for report in reports] == [{}, {}, {}]
    assert (outcome.epoch, outcome.selection) == (3, None)
    assert set(outcome.test) >= set(own_training.MEASURED)


def test_what_it_is_told_is_what_its_id_is_made_of(data):
    source = read(TEMPLATE)
    settings = Settings.of(_experiment(source, data, size=7, seed=3))
    assert settings["size"] == 7
    assert (settings.seed, settings.epochs, settings.batch_size) == (3, 3, 16)


def test_measure_counts_by_hand(data, given):
    """Embeddings that are the classes' own directions find all; of another order, a part."""
    settings = Settings.of(_experiment(read(TEMPLATE), data))
    split = features(settings, "test", **given)
    one_hot = torch.eye(20) * 3.0  # the length does not count
    image_NE = one_hot[torch.as_tensor(split.image_classes)]
    speech_ME = one_hot[torch.as_tensor(split.caption_classes)]
    found = measure(split, image_NE=image_NE, speech_ME=speech_ME)
    assert found.metrics["r1_sum"] == 200.0
    assert found.metrics["s2i_map50"] == 100.0
    assert (found.queries["image_class"] == split.image_classes).all()
    of_image = places(split)["caption_image"]
    assert (split.image_classes[of_image] == split.caption_classes).all()
    with pytest.raises(ValueError, match="there must be 24 image and 48 speech embeddings"):
        measure(split, image_NE=image_NE[1:], speech_ME=speech_ME)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 3", "train must be a generator of reports, but got int"),
        ("yield 3", "train must yield a Report, but got int"),
        ("yield REPORT_2", "report 1 must be of epoch 1, but got 2"),
        ("yield replace(REPORT_1, loss=float('nan'))", "the loss must be finite"),
        ("yield REPORT_1", "a report's metrics must hold r1_sum"),
    ],
)
def test_what_breaks_the_contract_is_said_with_the_file(data, given, tmp_path, body, said):
    source = _source(body)
    with pytest.raises(TrainingError, match=f"my_model.py: {said}"):
        _run(_experiment(source, data), source, given, tmp_path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("yield REPORT_1", "train must return an Outcome, but got NoneType"),
        ("yield REPORT_1\n    return Outcome(2, None, {}, {})", "epoch must be in 1–1, but got 2"),
        ("yield REPORT_1\n    return Outcome(1, None, {}, {})", "test must hold s2i_r1"),
    ],
)
def test_an_outcome_that_reports_could_not_show_is_refused(data, given, tmp_path, body, said):
    source = _source(body)
    with pytest.raises(TrainingError, match=said):
        _run(_experiment(source, data, selection="last"), source, given, tmp_path)


def _source(body):
    body = body.replace("REPORT_1", REPORT.format(1)).replace("REPORT_2", REPORT.format(2))
    head = "from dataclasses import replace\nfrom trainables.toolkit import Outcome, Report\n"
    return Source(
        "my_model", f"{head}DEFAULTS = {{}}\n\ndef train(settings, **given):\n    {body}\n"
    )


def test_a_source_that_fails_says_where(data, given, tmp_path):
    source = replace(_source("yield"), text="DEFAULTS = {}\n1 / 0\ndef train(): ...\n")
    with pytest.raises(UsageError, match=r"my_model.py:2: ZeroDivisionError"):
        _run(_experiment(source, data), source, given, tmp_path)
