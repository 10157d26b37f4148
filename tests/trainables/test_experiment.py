"""The experiment: validation, identity, JSON both ways."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_shards.errors import UsageError
from trainables.experiment import Experiment


def test_ids_do_not_change():
    """Pinned: a changed default or hash would orphan every record there is."""
    assert Experiment().trial_id == "a6abd2b44ba7"
    assert Experiment(seed=1).replace(gamma=5).trial_id == "e143363d98d5"
    assert Experiment().replace(loss="triplet").trial_id == "af3e5b38141c"
    assert Experiment(views="one").trial_id == "9ea50bffadf0"
    assert Experiment(views="one", seed=1).replace(gamma=5).trial_id == "6668cbe0cef5"


@pytest.mark.parametrize(
    ("views", "resolved"),
    [
        ({"views": "one"}, "cached"),
        ({"view_count": 3}, "cached"),
        ({"views": "random"}, "live"),
        ({"views": "one", "features": "live"}, "live"),
    ],
)
def test_auto_is_hashed_as_what_it_comes_to(views, resolved):
    asked = Experiment(**views)
    assert asked.resolved().features == resolved
    assert asked.resolved().trial_id == asked.trial_id


def test_cached_and_live_are_two_trials():
    cached = Experiment(views="one", features="cached")
    assert cached.trial_id != cached.replace(features="live").trial_id


def test_what_differs_makes_the_same_experiment_again():
    one = Experiment(views="one", epochs=3).replace(gamma=5)
    assert one.differing() == {
        "views": "one", "epochs": 3, "loss": {"name": "matching", "gamma": 5.0},
    }  # fmt: skip
    assert Experiment.from_dict(one.differing()) == one


def test_numbers_are_canonical_by_type():
    assert Experiment().replace(gamma=13).trial_id == Experiment().replace(gamma="13.0").trial_id
    assert Experiment(epochs=7.0).trial_id == Experiment(epochs=7).trial_id  # type: ignore[arg-type]


def test_fields_that_nothing_reads_do_not_make_another_trial():
    plain = Experiment(image_attention="none")
    assert plain.replace(cbam_kernel=3).trial_id == plain.trial_id
    assert Experiment(cbam_kernel=3).trial_id != Experiment().trial_id
    mean = Experiment(speech_attention=False)
    assert mean.replace(speech_attention_hidden=7).trial_id == mean.trial_id
    small = Experiment(image_encoder="small")
    assert small.replace(finetune=True).trial_id == small.trial_id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": 0}, "gamma must be > 0 and finite, but got gamma=0.0"),
        ({"gamma": -1}, "gamma must be > 0"),
        ({"gamma": "nan"}, "gamma must be a number"),
        ({"gamma": float("nan")}, "gamma must be a number"),
        ({"gamma": "inf"}, "gamma must be > 0 and finite"),
        ({"gamma": "thirteen"}, "gamma must be a number, but got 'thirteen'"),
        ({"gama": 1}, "Did you mean 'gamma'"),
        ({"loss": "tripplet"}, "Did you mean 'triplet'"),
        ({"loss": "triplet", "gamma": 3}, "gamma must be set together with .*, matching"),
        ({"loss": "triplet", "margin": -1}, "margin must be >= 0"),
        ({"loss": "triplet", "impostors": "al"}, "Did you mean 'all'"),
        ({"image_encoder": "resnet10"}, "Did you mean 'resnet101'"),
        ({"speech_encoder": "x"}, "speech_encoder must be one of"),
        ({"image_attention": "B2"}, "image_attention must be one of none, B3, B4"),
        ({"epochs": "3.5"}, "epochs must be a whole number"),
        ({"epochs": 0}, "epochs must be >= 1"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"batch_size": 1}, "batch_size must be >= 2"),
        ({"learning_rate": 0}, "learning_rate must be > 0"),
        ({"embedding": 7}, "embedding must be even"),
        ({"cbam_kernel": 4}, "cbam_kernel odd"),
        ({"speech_attention": "maybe"}, "speech_attention must be true or false"),
        ({"image_size": True}, "image_size must be a whole number"),
        ({"beta1": 1}, "beta1 must be < 1"),
    ],
)  # fmt: skip
def test_bad_values_are_one_clear_line(changes, message):
    with pytest.raises(UsageError, match=message) as caught:
        Experiment().replace(**changes)
    assert "\n" not in str(caught.value)


@settings(deadline=None)  # the machine may be busy
@given(
    gamma=st.floats(0.01, 1e4),
    seed=st.integers(0, 2**40),
    attention=st.sampled_from(["none", "B3", "B4"]),
)
def test_json_both_ways(gamma, seed, attention):
    before = Experiment(seed=seed, image_attention=attention).replace(gamma=gamma)
    after = Experiment.from_dict(json.loads(json.dumps(before.to_dict())))
    assert after == before
    assert after.trial_id == before.trial_id


def test_unknown_json_field_is_refused():
    with pytest.raises(UsageError, match="'epoch'.* Did you mean 'epochs'"):
        Experiment.from_dict({"epoch": 3})


def test_a_new_loss_starts_from_its_defaults():
    flat = Experiment().replace(gamma=5).replace(loss="triplet").flat()
    assert (flat["loss"], flat["margin"], "gamma" in flat) == ("triplet", 1.0, False)


def test_describing_an_experiment_does_not_load_torch():
    code = (
        "import sys; from search_spaces.sweep import load; from trainables.presets import PRESETS;"
        "s = load('gamma'); print(len(s.plan(s.base(PRESETS['demo'], {}), [0], lambda _: None)"
        ".trials), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["6", "False"]


def test_the_published_number_of_units_is_the_default():
    published = Experiment(speech_encoder="merkx", speech_units=1024)
    assert published.trial_id == Experiment(speech_encoder="merkx").trial_id
    assert published.replace(speech_units=64).trial_id != published.trial_id
