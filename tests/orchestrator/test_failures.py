"""Failures from the texts that Ray writes: their class, and one line."""

import pytest

from orchestrator.failures import CUT_OFF, LOST, Failure, Kind, classify

HEADING = "Failure # 1 (occurred at 2026-01-01_00-00-00)\n"
RAISED = (
    HEADING
    + "\x1b[36mray::TrialRun.train()\x1b[39m (pid=1, ip=127.0.0.1, actor_id=a)\n"
    + '  File "training.py", line 1, in next_epoch\n'
)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (
            RAISED + "trainables.training.TrainingError: the loss is nan",
            Kind.NOT_FINITE,
            "the loss is nan",
        ),
        (
            RAISED + "data_shards.errors.DataError: shard x is missing",
            Kind.ERROR,
            "shard x is missing",
        ),
        (RAISED + "KeyError: 'test'", Kind.ERROR, "KeyError: 'test'"),
        (
            RAISED + "orchestrator.trainable.NodeError: --data must be seen",
            Kind.NODE,
            "its node cannot serve it: --data must be seen",
        ),
        (HEADING, Kind.KILLED, "its process ended: it left no word"),
        (
            RAISED + "RuntimeError: shape is wrong\n  in layer 3\n",
            Kind.ERROR,
            "RuntimeError: shape is wrong",
        ),
        (
            HEADING + "The actor died unexpectedly before finishing this task.\n\tclass_name: X",
            Kind.KILLED,
            "its process ended: The actor died unexpectedly before finishing this task.",
        ),
        (
            HEADING
            + "2 worker(s) were killed due to the node running low on memory. Memory on the node "
            + "(IP: 127.0.0.1, ID: 5f) was 1.52GB used / 23.54GB limit (0.064453)\n"
            + "Top 10 memory users:\nPID MEM(GB) COMMAND\n7 9.0 ray::TrialRun.train\n"
            + "Refer to the documentation on how to address the out of memory issue: x.",
            Kind.MEMORY,
            "its process ended: 2 worker(s) were killed due to the node running low on memory.",
        ),
        (
            HEADING
            + "The actor died unexpectedly before finishing this task.\n\tclass_name: X\n"
            + "The actor died because its node has died. Node Id: 5f\n\tthe actor's node was "
            + "terminated unexpectedly: health check failed due to missing too many heartbeats",
            Kind.NODE,
            LOST,
        ),
        (
            HEADING
            + "The actor f1e4 is unavailable: The actor is temporarily unavailable: RpcError: RPC "
            + "error: Socket closed rpc_code: 14. The task may or may not have been executed.",
            Kind.KILLED,
            CUT_OFF,
        ),
    ],
)
def test_a_failure_is_a_class_and_one_line(text, kind, reason):
    assert classify(text) == Failure(kind, reason)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", Kind.GPU_MEMORY),
        ("RuntimeError: CUDA error: out of memory", Kind.GPU_MEMORY),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x", Kind.GPU_MEMORY),
        ("RuntimeError: CUDNN_STATUS_ALLOC_FAILED", Kind.GPU_MEMORY),
        ("MemoryError", Kind.MEMORY),
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3 GiB", Kind.MEMORY),
        ("OSError: [Errno 12] Cannot allocate memory", Kind.MEMORY),
        ("RuntimeError: unable to write to file </torch_1>: No space left on device", Kind.PASSING),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", Kind.MEMORY),
        ("OSError: [Errno 28] No space left on device", Kind.PASSING),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", Kind.PASSING),
        ("data_shards.errors.NetworkError: s3://b/x must be reachable", Kind.PASSING),
        ("data_shards.errors.WorkerDied: a loader process was killed", Kind.KILLED),
        ("data_shards.errors.UsageError: batch_size must be <= 8", Kind.ERROR),
        ("AssertionError", Kind.ERROR),
    ],
)
def test_what_was_raised_has_a_class(error, kind):
    assert classify(RAISED + error).kind == kind


def test_our_own_errors_say_what_to_do_and_others_get_advice():
    ours = classify(RAISED + "trainables.training.TrainingError: the loss is nan: lower gamma.")
    assert ours.text == "the loss is nan: lower gamma."
    full = classify(RAISED + "OSError: [Errno 28] No space left on device")
    assert full.text == "OSError: [Errno 28] No space left on device: the same command goes on."
