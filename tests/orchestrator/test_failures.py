"""Reasons in one line, from the texts that Ray writes."""

import pytest

from orchestrator.failures import (
    CUT_OFF,
    LOST,
    MOST_LOST,
    Tries,
    is_out_of_gpu_memory,
    is_raised,
    reason_of,
)

HEADING = "Failure # 1 (occurred at 2026-01-01_00-00-00)\n"
RAISED = (
    HEADING
    + "\x1b[36mray::TrialRun.train()\x1b[39m (pid=1, ip=127.0.0.1, actor_id=a)\n"
    + '  File "training.py", line 1, in next_epoch\n'
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RAISED + "trainables.training.TrainingError: the loss is nan", "the loss is nan"),
        (RAISED + "data_shards.errors.DataError: shard x is missing", "shard x is missing"),
        (RAISED + "KeyError: 'test'", "KeyError: 'test'"),
        (
            RAISED + "orchestrator.trainable.NodeError: --data must be seen",
            "its node cannot serve it: --data must be seen",
        ),
        (HEADING, "its process ended: it left no word"),
        (RAISED + "RuntimeError: shape is wrong\n  in layer 3\n", "RuntimeError: shape is wrong"),
        (
            HEADING + "The actor died unexpectedly before finishing this task.\n\tclass_name: X",
            "its process ended: The actor died unexpectedly before finishing this task.",
        ),
        (
            HEADING
            + "Task was killed due to the node running low on memory.\n"
            + "Top 10 memory users:\nPID MEM(GB) COMMAND\n7 9.0 ray::TrialRun.train\n"
            + "Refer to the documentation on how to address the out of memory issue: x.",
            "its process ended: Task was killed due to the node running low on memory.",
        ),
        (
            HEADING
            + "The actor died unexpectedly before finishing this task.\n\tclass_name: X\n"
            + "The actor died because its node has died. Node Id: 5f\n\tthe actor's node was "
            + "terminated unexpectedly: health check failed due to missing too many heartbeats",
            LOST,
        ),
        (
            HEADING
            + "The actor f1e4 is unavailable: The actor is temporarily unavailable: RpcError: RPC "
            + "error: Socket closed rpc_code: 14. The task may or may not have been executed.",
            CUT_OFF,
        ),
    ],
)
def test_a_failure_is_one_line(text, reason):
    assert reason_of(text) == reason


@pytest.mark.parametrize(
    ("reason", "small"),
    [
        ("OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", True),
        ("RuntimeError: CUDA error: out of memory", True),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate", True),
        ("RuntimeError: CUDNN_STATUS_ALLOC_FAILED", True),
        ("Task was killed due to the node running low on memory.", False),
    ],
)
def test_what_says_that_the_gpu_was_too_small(reason, small):
    assert is_out_of_gpu_memory(reason) is small


def test_a_lost_node_is_not_the_trials_failure_but_not_for_ever():
    tries = Tries(max_failures=1)
    for _ in range(MOST_LOST):
        tries.count("a", LOST)
        assert tries.left("a")
    tries.count("a", LOST)
    assert not tries.left("a")
    assert tries.left("b")


def test_a_trial_may_fail_so_often():
    tries = Tries(max_failures=1)
    tries.count("a", "the loss is nan")
    assert tries.left("a")
    tries.count("a", "")  # it ended without a word
    assert not tries.left("a")


def test_what_the_training_raised_is_told_from_what_befell_it():
    assert is_raised("the loss must be finite")
    assert not any(is_raised(reason) for reason in (LOST, CUT_OFF, "its process ended: killed"))
