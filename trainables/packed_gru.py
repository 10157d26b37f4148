"""One direction of a GRU over packed sequences, as fast on a CPU as its products allow.

Packed: only valid frames, frame 0 of all sequences, longest first, then frame 1 of those that
have one, and so on; `sizes` counts the sequences that have each. N such frames in all, D features,
U units, G = 3 U gates (reset, update, new).

`nn.GRU` takes packed sequences too, but on a CPU is 3 to 4 times as slow with them as with padded
ones. Here each step works in place on views that are cut once, and what needs no order in time is
one operation over all frames: the gates' part from the input, their slopes, the weights' gradients.
A speech encoder made of it takes 0.9 to 1.1 times what `nn.GRU` alone takes for as many frames of
equally long sequences (`benchmarks/speech.py`).
"""

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


def packed_gru(
    gru: nn.GRU, input_ND: Float[Tensor, "N D"], *, sizes: list[int], back: bool = False
) -> Float[Tensor, "N U"]:
    """What `gru` (one layer, one direction) finds; with `back`, from each sequence's end."""
    weight_GD, weight_GU, bias_input_G, bias_G = gru.parameters()
    gate_NG = nn.functional.linear(input_ND, weight_GD, bias_input_G)
    found_NU: Tensor = _Recurrence.apply(gate_NG, weight_GU, bias_G, sizes, back)
    return found_NU


def _steps(sizes: list[int], *, back: bool) -> list[tuple[int, int, int]]:
    """In order: a step, the one before it, and how many sequences have both."""
    order = list(range(len(sizes)))[:: -1 if back else 1]
    pairs = [(t, before, min(sizes[t], sizes[before])) for before, t in pairwise(order)]
    return [(order[0], order[0], 0), *pairs]


class _Recurrence(torch.autograd.Function):
    """h = n + z (h' - n), n = tanh(input + r (W h' + b)), r and z as usual, from the gates' part
    that comes from the input. In float32 under autocast too: rounding adds up over the steps."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(
        ctx: Any,
        input_NG: Tensor,
        weight_GU: Tensor,
        bias_G: Tensor,
        sizes: list[int],
        back: bool,
    ) -> Tensor:
        units = weight_GU.shape[1]
        gate_NG, new_NU = input_NG + bias_G, input_NG[:, 2 * units :].clone()
        gate_NG[:, 2 * units :] = bias_G[2 * units :]
        weight_UG = weight_GU.t()
        before_NU, hidden_NU = torch.zeros_like(new_NU), torch.empty_like(new_NU)
        gate, new = torch.split(gate_NG, sizes), torch.split(new_NU, sizes)
        before, hidden = torch.split(before_NU, sizes), torch.split(hidden_NU, sizes)
        sigmoids = torch.split(gate_NG[:, : 2 * units], sizes)
        parts = torch.split(gate_NG, units, dim=1)
        reset, update, inner = (torch.split(part, sizes) for part in parts)
        for t, last, both in _steps(sizes, back=back):
            before[t][:both].copy_(hidden[last][:both])
            _add_product(gate[t], before[t], weight_UG)
            sigmoids[t].sigmoid_()
            new[t].addcmul_(reset[t], inner[t]).tanh_()
            torch.lerp(new[t], before[t], update[t], out=hidden[t])
        ctx.save_for_backward(gate_NG, new_NU, before_NU, weight_GU)
        ctx.sizes, ctx.back = sizes, back
        return hidden_NU

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gate_NG, new_NU, before_NU, weight_GU = ctx.saved_tensors
        slope_NU, gate_grad_N3U = _slopes(gate_NG, new_NU, before_NU)
        gate_grad_NG, total_NU = gate_grad_N3U.flatten(1), gradients[0].clone()
        update_NU = torch.split(gate_NG, weight_GU.shape[1], dim=1)[1]
        total, update = torch.split(total_NU, ctx.sizes), torch.split(update_NU, ctx.sizes)
        gate_grad = torch.split(gate_grad_N3U, ctx.sizes)
        flat = torch.split(gate_grad_NG, ctx.sizes)
        for t, last, both in reversed(_steps(ctx.sizes, back=ctx.back)):
            gate_grad[t].mul_(total[t][:, None])
            carried = total[last][:both].addcmul_(total[t][:both], update[t][:both])
            _add_product(carried, flat[t][:both], weight_GU)
        weight_grad_GU, bias_grad_G = gate_grad_NG.t() @ before_NU, gate_grad_NG.sum(dim=0)
        torch.mul(total_NU, slope_NU, out=gate_grad_N3U[:, 2])  # the input is not reset
        return gate_grad_NG, weight_grad_GU, bias_grad_G, None, None


def _add_product(target_BK: Tensor, left_BJ: Tensor, right_JK: Tensor) -> None:
    """Few rows are taken four at a time: MKL's last bits at 5 to 11 rows, but for 8, would depend
    on the number of threads, and so a trial's results on the CPUs it was given."""
    if len(target_BK) >= 12:
        target_BK.addmm_(left_BJ, right_JK)
        return
    for start in range(0, len(target_BK), 4):
        target_BK[start : start + 4].addmm_(left_BJ[start : start + 4], right_JK)


def _slopes(gate_NG: Tensor, new_NU: Tensor, before_NU: Tensor) -> tuple[Tensor, Tensor]:
    """Of a hidden state by n's argument, and by the three gates' parts from the state before it.

    In place as far as it goes: fresh memory costs more than the arithmetic.
    """
    reset_NU, update_NU, inner_NU = torch.split(gate_NG, new_NU.shape[1], dim=1)
    rest_NU = 1 - update_NU
    slope_NU = (new_NU * new_NU).neg_().add_(1).mul_(rest_NU)
    slope_N3U = gate_NG.new_empty(len(new_NU), 3, new_NU.shape[1])
    by_reset_NU, by_update_NU, by_inner_NU = slope_N3U.unbind(dim=1)
    torch.mul(slope_NU, reset_NU, out=by_inner_NU)
    torch.sub(1, reset_NU, out=by_reset_NU).mul_(by_inner_NU).mul_(inner_NU)
    torch.sub(before_NU, new_NU, out=by_update_NU).mul_(update_NU).mul_(rest_NU)
    return slope_NU, slope_N3U
