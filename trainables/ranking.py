"""Where the relevant items stand when a gallery is ranked for each query.

The order is total: score descending, then gallery index ascending. Items with exactly the same
score therefore never profit from being relevant, and a collapsed model scores at chance.
Shapes: Q queries, G gallery items, E embedding, K the ranks looked at (at most 50).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

TOP = 50
CHUNK_SCORES = 2**22  # scores held at a time: 16 MiB, and a few such blocks beside them


@dataclass(frozen=True)
class Ranks:
    """Of each query: what its ranking shows."""

    first_Q: Int[Tensor, " Q"]
    """Rank, from 1, of the first relevant item; G + 1 if the gallery has none."""
    relevant_Q: Int[Tensor, " Q"]
    """Number of relevant items in the gallery."""
    hit_QK: Bool[Tensor, "Q K"]
    """Whether the item at rank k + 1 is relevant."""


def rank_gallery(
    query_QE: Float[Tensor, "Q E"],
    *,
    gallery_GE: Float[Tensor, "G E"],
    query_class_Q: Int[Tensor, " Q"],
    gallery_class_G: Int[Tensor, " G"],
    chunk_scores: int = CHUNK_SCORES,
) -> Ranks:
    """Rank the gallery by dot product, a chunk of queries at a time. Relevant = same class."""
    rows = max(1, chunk_scores // len(gallery_GE))
    parts = []
    for start in range(0, len(query_QE), rows):
        chunk = slice(start, start + rows)
        relevant_qG = query_class_Q[chunk, None] == gallery_class_G
        parts.append(rank_scores(query_QE[chunk] @ gallery_GE.T, relevant_QG=relevant_qG))
    return Ranks(
        first_Q=torch.cat([part.first_Q for part in parts]),
        relevant_Q=torch.cat([part.relevant_Q for part in parts]),
        hit_QK=torch.cat([part.hit_QK for part in parts]),
    )


def rank_scores(score_QG: Float[Tensor, "Q G"], *, relevant_QG: Bool[Tensor, "Q G"]) -> Ranks:
    """Ranks from scores and relevance, without sorting the gallery."""
    return Ranks(
        first_Q=_first(score_QG, relevant_QG),
        relevant_Q=relevant_QG.sum(dim=1),
        hit_QK=relevant_QG.gather(1, _top(score_QG)),
    )


def _first(score_QG: Float[Tensor, "Q G"], relevant_QG: Bool[Tensor, "Q G"]) -> Int[Tensor, " Q"]:
    gallery = score_QG.shape[1]
    index_G = torch.arange(gallery, device=score_QG.device)
    best_Q1 = score_QG.masked_fill(~relevant_QG, -torch.inf).amax(dim=1, keepdim=True)
    tied_QG = score_QG == best_Q1
    place_Q1 = torch.where(tied_QG & relevant_QG, index_G, gallery).amin(dim=1, keepdim=True)
    before_QG = (score_QG > best_Q1) | (tied_QG & (index_G < place_Q1))
    return before_QG.sum(dim=1) + 1


def _top(score_QG: Float[Tensor, "Q G"]) -> Int[Tensor, "Q K"]:
    """Gallery indices of the first 50 ranks."""
    count = min(TOP, score_QG.shape[1])
    value_QK, index_QK = score_QG.topk(min(TOP + 1, score_QG.shape[1]), dim=1)
    if value_QK.shape[1] > count:
        # `topk` takes any of the items that tie across the boundary: choose those rows again.
        unclear_Q = value_QK[:, count - 1] == value_QK[:, count]
        index_QK = index_QK[:, :count]
        index_QK[unclear_Q] = _top_of_ties(score_QG[unclear_Q], value_QK[unclear_Q, count - 1])
    index_QK = index_QK.sort(dim=1).values
    order_QK = score_QG.gather(1, index_QK).sort(dim=1, descending=True, stable=True).indices
    return index_QK.gather(1, order_QK)


def _top_of_ties(
    score_QG: Float[Tensor, "Q G"], last_Q: Float[Tensor, " Q"]
) -> Int[Tensor, "Q 50"]:
    """The first 50 items when `last_Q`, the 50th score, is also the 51st."""
    above_QG = score_QG > last_Q[:, None]
    tied_QG = score_QG == last_Q[:, None]
    room_Q1 = TOP - above_QG.sum(dim=1, keepdim=True)
    taken_QG = above_QG | (tied_QG & (tied_QG.cumsum(dim=1, dtype=torch.int32) <= room_Q1))
    return taken_QG.nonzero()[:, 1].reshape(-1, TOP)
