"""Reasons in one line, from the texts that Ray writes."""

import pytest

from orchestrator.failures import reason_of

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
    ],
)
def test_a_failure_is_one_line(text, reason):
    assert reason_of(text) == reason
