"""What Tune makes of our configs."""

from ray import tune
from ray.tune.search.variant_generator import generate_variants

from orchestrator.tuner_settings import Configs, request


class _Counted(dict):
    """A config that counts how often any is copied."""

    copies = 0

    def __deepcopy__(self, memo):
        _Counted.copies += 1
        return self


def test_each_trial_gets_its_config_without_a_copy_of_all():
    """A copy of all for each is quadratic: 1,000 trials took a minute before the first began."""
    configs = Configs(_Counted(trial_id=str(number)) for number in range(50))
    variants = generate_variants({"trial": tune.grid_search(configs)})
    assert [spec["trial"]["trial_id"] for _, spec in variants] == [str(n) for n in range(50)]
    assert _Counted.copies <= 4 * 50


def test_loader_processes_count_as_cpus():
    config = {"trial": {"cpus": 1, "workers": 2, "gpus": 0.5}}
    assert request(config).bundles == [{"CPU": 3, "GPU": 0.5}]
