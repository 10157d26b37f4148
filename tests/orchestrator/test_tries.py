"""The policy by class of failure, worked by hand."""

import pytest

from orchestrator.failures import SILENT, Failure, Kind
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from orchestrator.tries import MOST_LOST, Tries, keep


def _fail(tries, kind, *, asked=None, times=1):
    """What trial `a` gets after so many failures of a kind."""
    asked = asked or Resources()
    for _ in range(times):
        had = tries.resources("a", asked)
        tries.count("a", Failure(kind, "why"), had=had, most_cpus=4.0)
    return tries.resources("a", asked)


def test_every_kind_of_failure_ends_at_last():
    for kind in Kind:
        tries = Tries(max_failures=2)
        for _ in range(50):
            if tries.left("a"):
                _fail(tries, kind, asked=Resources(gpus_per_trial=0.1))
        assert not tries.left("a"), kind
        assert tries.left("b")


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.NOT_FINITE])
def test_what_would_come_again_is_not_tried_again(kind):
    tries = Tries(max_failures=5)
    _fail(tries, kind)
    assert not tries.left("a")


@pytest.mark.parametrize("kind", [Kind.KILLED, Kind.PASSING])
def test_what_may_pass_is_tried_so_often(kind):
    tries = Tries(max_failures=1)
    _fail(tries, kind)
    assert tries.left("a")
    assert _fail(tries, kind) == Resources()
    assert not tries.left("a")


def test_a_lost_node_is_free_but_not_for_ever():
    tries = Tries(max_failures=0)
    _fail(tries, Kind.NODE, times=MOST_LOST)
    assert tries.left("a")
    _fail(tries, Kind.NODE)
    assert not tries.left("a")


def test_out_of_gpu_memory_gets_larger_shares_for_free_up_to_a_whole_gpu():
    tries = Tries(max_failures=0)
    asked = Resources(gpus_per_trial=0.25)
    shares = [_fail(tries, Kind.GPU_MEMORY, asked=asked).gpus for _ in range(3)]
    assert shares == [0.3333, 0.5, 1.0]
    assert tries.left("a")
    assert tries.resources("b", asked) == asked
    _fail(tries, Kind.GPU_MEMORY, asked=asked)
    assert not tries.left("a")


@pytest.mark.parametrize("gpus", [0.0, 1.0, 2.0])
def test_where_no_larger_share_helps_it_is_given_up(gpus):
    tries = Tries(max_failures=5)
    _fail(tries, Kind.GPU_MEMORY, asked=Resources(gpus_per_trial=gpus))
    assert not tries.left("a")


def test_a_share_asked_for_later_may_be_larger_still():
    tries = Tries(max_failures=0)
    _fail(tries, Kind.GPU_MEMORY, asked=Resources(gpus_per_trial=0.25))
    assert tries.resources("a", Resources(gpus_per_trial=0.5)).gpus == 0.5


def test_out_of_memory_reserves_more_of_a_node_and_changes_nothing_else():
    tries = Tries(max_failures=1)
    asked = Resources(cpus_per_trial=1, loader_workers=0)
    requests = [_fail(tries, Kind.MEMORY, asked=asked).request["cpu"] for _ in range(2)]
    assert requests == [2.0, 4.0]
    assert tries.resources("a", asked).cpus_per_trial == 1
    assert tries.left("a")
    _fail(tries, Kind.MEMORY, asked=asked, times=2)  # alone on its node
    assert not tries.left("a")
    assert tries.resources("a", asked).request["cpu"] == 4.0


def test_a_trial_without_a_word_was_killed(tmp_path):
    storage = Storage(str(tmp_path))
    keep(storage, "a", SILENT)
    assert storage.failures(["a", "b"])["a"]["kind"] == "process ended"
    storage.remove_failure("a")
    assert storage.failure("a") is None


def test_a_storage_that_takes_nothing_is_no_reason_to_stop(tmp_path):
    (tmp_path / "file").write_text("")
    keep(Storage(str(tmp_path / "file")), "a", SILENT)
