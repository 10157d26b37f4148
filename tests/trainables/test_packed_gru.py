import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from trainables.packed_gru import packed_gru

LENGTHS = [5, 4, 4, 1]
SIZES = [4, 3, 3, 3, 1]


@pytest.fixture
def gru():
    torch.manual_seed(0)
    return nn.GRU(3, 4)


def test_it_takes_and_gives_what_pytorch_packs(gru):
    packed = pack_padded_sequence(torch.randn(5, 4, 3), torch.tensor(LENGTHS))
    assert packed.batch_sizes.tolist() == SIZES
    expected, _ = gru(packed)
    torch.testing.assert_close(packed_gru(gru, packed.data, sizes=SIZES), expected.data)


@pytest.mark.parametrize("back", [False, True])
def test_gradients_equal_differences(gru, back):
    gru = gru.double()
    input_ND = torch.randn(sum(SIZES), 3, dtype=torch.float64, requires_grad=True)

    def run(input_ND, *_):
        return packed_gru(gru, input_ND, sizes=SIZES, back=back)

    assert torch.autograd.gradcheck(run, (input_ND, *gru.parameters()))


def test_under_autocast_steps_are_float32_and_gradients_follow_the_weights(gru):
    input_ND = torch.randn(sum(SIZES), 3, requires_grad=True)
    exact = packed_gru(gru, input_ND, sizes=SIZES)
    with torch.autocast("cpu", torch.bfloat16):
        found = packed_gru(gru, input_ND, sizes=SIZES)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, atol=2e-2, rtol=0)
    found.sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in (input_ND, *gru.parameters()))


def test_without_gradients_it_is_the_same(gru):
    input_ND = torch.randn(sum(SIZES), 3)
    with torch.inference_mode():
        found = packed_gru(gru, input_ND, sizes=SIZES)
    assert torch.equal(found, packed_gru(gru, input_ND, sizes=SIZES))


def test_the_number_of_threads_changes_no_bit():
    sizes = [*range(40, 0, -1)]
    gru, input_ND = nn.GRU(24, 32), torch.randn(sum(sizes), 24)
    results, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found = packed_gru(gru, input_ND, sizes=sizes, back=True)
        results.append([found, *torch.autograd.grad(found.square().sum(), [*gru.parameters()])])
    torch.set_num_threads(before)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
