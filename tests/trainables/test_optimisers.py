import torch

from trainables.experiment import Experiment
from trainables.model import DualEncoder
from trainables.optimisers import Optimisers

TIMAM = Experiment(
    image_encoder="small", image_size=32, embedding=4, speech_attention_hidden=2, mels=4,
    lr_halve_every=2,
).replace(loss="timam")  # fmt: skip


def _built():
    torch.manual_seed(0)
    model = DualEncoder(TIMAM, classes=3)
    return model, Optimisers(TIMAM, model)


def _copy(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def _moved(module, before):
    return {name for name, value in module.state_dict().items() if not value.equal(before[name])}


def test_the_opponent_moves_by_its_own_step_only_and_nothing_else_does():
    model, optimisers = _built()
    before = _copy(model)
    optimisers.step_opponent(torch.randn(5, 4), torch.randn(5, 4))
    assert _moved(model, before) == {n for n in before if n.startswith("loss.opponent.")}


def test_the_encoders_step_leaves_the_opponent_alone():
    model, optimisers = _built()
    before = _copy(model)
    image, speech = torch.randn(5, 4), torch.randn(5, 4)
    scores = model.loss["classifier"](image).sum() - model.own["opponent"](image, speech)
    optimisers.step(scores)
    assert _moved(model, before) == {"loss.classifier.weight"}


def test_a_step_against_the_opponent_leaves_no_gradient_in_its_next_step():
    """The encoders' loss holds the opponent's: its gradient there must not count."""
    image, speech = torch.randn(5, 4), torch.randn(5, 4)
    found = []
    for between in (False, True):
        model, optimisers = _built()
        if between:
            (-100 * model.own["opponent"](image, speech)).backward()
        optimisers.step_opponent(image, speech)
        found.append(_copy(model))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_all_follow_the_schedule():
    _, optimisers = _built()
    for epoch, rate in ((1, 1e-4), (2, 1e-4), (3, 5e-5), (5, 2.5e-5)):
        optimisers.start_epoch(epoch)
        assert optimisers.learning_rate == rate
        groups = [g for state in optimisers.state_dict().values() for g in state["param_groups"]]
        assert {group["lr"] for group in groups} == {rate}


def test_without_an_opponent_there_is_one_optimiser():
    experiment = TIMAM.replace(loss="matching")
    optimisers = Optimisers(experiment, DualEncoder(experiment))
    optimisers.step_opponent(torch.randn(2, 4), torch.randn(2, 4))
    assert set(optimisers.state_dict()) == {"encoders"}
