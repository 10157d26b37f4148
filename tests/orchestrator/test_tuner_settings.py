"""What Tune makes of our configs."""

from ray import tune
from ray.tune.search.variant_generator import generate_variants

from orchestrator.resources import Resources
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


def test_loader_processes_count_as_cpus_and_a_trial_may_have_spare_ones():
    resources = Resources(loader_workers=2, gpus_per_trial=0.5, spare_cpus=1.5)
    config = {"trial": {"cpus": 1, "request": resources.request}}
    assert request(config).bundles == [{"CPU": 4.5, "GPU": 0.5}]
