"""Cached or live is decided when a plan is made, by size."""

import pytest

from data_shards.errors import UsageError
from data_shards.manifest import ClassCount, Data, Manifest, Shard, Split
from orchestrator.feature_plan import columns, gigabytes, told
from orchestrator.planning import ask
from orchestrator.search.question import ask_search
from orchestrator.storage import Storage
from search_spaces.sweep import load
from trainables.presets import PRESETS

SAMPLES = 1000


def _data() -> Data:
    splits = {
        name: Split([ClassCount(2 * number + i, "a", SAMPLES // 2, SAMPLES // 2) for i in range(2)],
                    [Shard(f"{name}.tar", SAMPLES, SAMPLES, "0" * 64)])
        for number, name in enumerate(("train", "val", "test"))
    }  # fmt: skip
    return Data("nowhere", Manifest("drawn", "", {}, {}, splits))


def _plan(tmp_path, name="attention_placement", *, cache_limit=50.0, **settings):
    base = {"image_encoder": "efficientnet_lite0", **settings}
    question = ask(load(name), preset=PRESETS["demo"], settings=base, seeds=1, data=_data(),
                   cache_limit=cache_limit)  # fmt: skip
    return [trial.experiment for trial in question.plan(Storage(str(tmp_path))).trials]


def test_columns_that_trials_share_count_once(tmp_path):
    none, b3, _ = _plan(tmp_path)
    manifest = _data().manifest
    both = columns([none, b3], manifest)
    assert len(both) == len(columns([none], manifest)) + 3  # the speech is the same
    image, stride16 = 1280 * 2, 112 * 12 * 12 * 2
    speech = 400 * 40 * 2
    assert gigabytes(both) * 1e9 == pytest.approx(3 * SAMPLES * (image + stride16 + speech))


def test_what_fits_is_cached(tmp_path):
    assert {one.features for one in _plan(tmp_path)} == {"cached"}
    line = told(_plan(tmp_path), _data().manifest, cache_limit=50)
    assert line == "features: cached, about 0.48 GB in each node's cache"


def test_what_does_not_fit_is_computed_live_in_every_arm(tmp_path):
    """Also in the arm whose own features would fit: arms must not differ in what is not asked."""
    live = _plan(tmp_path, cache_limit=0.2)
    assert {one.features for one in live} == {"live"}
    line = told(live, _data().manifest, cache_limit=0.2)
    assert "features: live, about 0.32 GB" in line
    assert "(all cached: 0.48 GB, more than --cache-limit 0.2)" in line


def test_what_must_be_cached_and_does_not_fit_is_refused(tmp_path):
    with pytest.raises(UsageError, match="features=cached needs 0.4.* GB, but --cache-limit is"):
        _plan(tmp_path, cache_limit=0.2, features="cached")


def test_live_needs_no_room(tmp_path):
    assert {one.features for one in _plan(tmp_path, cache_limit=1e-9, features="live")} == {"live"}


def test_a_search_decides_for_all_points_of_its_space():
    options = {"also": ["image_attention"], "sampler": "random", "pruner": "none", "seed": 0,
               "min_epochs": None, "name": "", "data": _data(), "preset": PRESETS["demo"],
               "settings": {"image_encoder": "efficientnet_lite0"}}  # fmt: skip
    found = [ask_search(load("tune"), cache_limit=limit, **options) for limit in (50.0, 0.2)]
    points = [question.experiment({"image_attention": "none"}) for question in found]
    assert [point.features for point in points] == ["cached", "live"]
