"""Padding, worked by hand."""

import torch

from data_shards.batches import Batch, pad


def test_padding_by_hand():
    short, long = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    frames_BTF, length_B = pad([short, long])
    assert frames_BTF.tolist() == [[[1, 2], [0, 0], [0, 0]], [[3, 4], [5, 6], [7, 8]]]
    assert length_B.tolist() == [1, 3]
    assert (frames_BTF.dtype, length_B.dtype) == (torch.float32, torch.int64)


def test_float16_columns_become_float32_batches():
    frames_BTF, _ = pad([torch.full((2, 3), 0.1).half()])
    assert frames_BTF.dtype == torch.float32
    assert torch.equal(frames_BTF[0], torch.full((2, 3), 0.1).half().float())


def test_on_the_cpu_a_batch_is_not_copied():
    frames_BTF, length_B = pad([torch.ones(2, 3)])
    image = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    batch = Batch(image, frames_BTF, length_B, torch.tensor([7]), ["a"])
    assert batch.to(torch.device("cpu")) is batch
