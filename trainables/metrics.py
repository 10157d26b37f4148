"""Retrieval metrics in both directions (thesis §5.1), as pure functions of embeddings.

`s2i`: captions ask, images are the gallery; `i2s`: images ask, captions are the gallery.
Relevant = same class. Shapes: M captions, N images, E embedding, Q queries, K ranks (at most 50).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from trainables.ranking import CHUNK_SCORES, TOP, Ranks, rank_gallery


@dataclass(frozen=True)
class Retrieval:
    """How well a model retrieves."""

    metrics: dict[str, float]
    """Of each direction (`s2i_…`, `i2s_…`), in percent except the rank `medr`: `r1`, `r5`, `r10`,
    `medr`, `map50`, `map50_hits`, `map50_thesis`, `chance`; and `r1_sum` over both."""
    queries: dict[str, Shaped[np.ndarray, " ..."]]
    """Of each query, in the order of the input: `s2i_rank` (of the first relevant item, from 1)
    and `s2i_map50`, `s2i_map50_hits`, `s2i_map50_thesis` (average precision, 0 … 1), and
    `s2i_top` (Q, 5), the gallery's places of the first five results (all, if it has fewer); the
    same for `i2s`."""


@torch.no_grad()
def retrieval(
    speech_ME: Float[Tensor, "M E"],
    image_NE: Float[Tensor, "N E"],
    speech_class_M: Int[Tensor, " M"],
    image_class_N: Int[Tensor, " N"],
    *,
    chunk_scores: int = CHUNK_SCORES,
) -> Retrieval:
    """Metrics of unit-norm embeddings, on their device, in chunks of `chunk_scores` scores.

    A query without any relevant item has average precision 0 and rank gallery size + 1.

    Raises:
        ValueError: no captions, no images, or embeddings that are not finite.
    """
    _refuse("speech", speech_ME)
    _refuse("image", image_NE)
    speech_class_M = speech_class_M.to(speech_ME.device)
    image_class_N = image_class_N.to(image_NE.device)
    s2i = rank_gallery(
        speech_ME, gallery_GE=image_NE, query_class_Q=speech_class_M,
        gallery_class_G=image_class_N, chunk_scores=chunk_scores,
    )  # fmt: skip
    i2s = rank_gallery(
        image_NE, gallery_GE=speech_ME, query_class_Q=image_class_N,
        gallery_class_G=speech_class_M, chunk_scores=chunk_scores,
    )  # fmt: skip
    metrics: dict[str, float] = {}
    queries: dict[str, Shaped[np.ndarray, " ..."]] = {}
    for direction, ranks, gallery in (("s2i", s2i, len(image_NE)), ("i2s", i2s, len(speech_ME))):
        own = _per_query(ranks)
        summary = _summary(own, gallery=gallery) | {
            "chance": _percent(ranks.relevant_Q.double() / gallery)
        }
        own["top"] = ranks.top_QS.cpu().numpy()
        queries |= {f"{direction}_{name}": value for name, value in own.items()}
        metrics |= {f"{direction}_{name}": value for name, value in summary.items()}
    return Retrieval(metrics | {"r1_sum": metrics["s2i_r1"] + metrics["i2s_r1"]}, queries)


def average_precisions(ranks: Ranks) -> dict[str, Float[Tensor, " Q"]]:
    """Average precision of the first 50 ranks, in three definitions that are never mixed.

    `map50_thesis` is what the thesis' author computed: over the hits in the top 50 (at least
    1), a hit at rank 1 adds 1 and one at rank r > 1 adds (hits strictly before r) / r, so that a
    perfect list has 0.930. `map50_hits` has the precision at each hit over the same denominator,
    `map50` over min(50, number of relevant items).
    """
    hit_QK = ranks.hit_QK.double()
    rank_K = torch.arange(1, hit_QK.shape[1] + 1, device=hit_QK.device)
    precision_QK = hit_QK * hit_QK.cumsum(dim=1) / rank_K
    strict_QK = hit_QK * (hit_QK.cumsum(dim=1) - 1) / rank_K
    strict_QK[:, 0] = hit_QK[:, 0]
    hits_Q = hit_QK.sum(dim=1).clamp(min=1)
    return {
        "map50": precision_QK.sum(dim=1) / ranks.relevant_Q.clamp(min=1, max=TOP),
        "map50_hits": precision_QK.sum(dim=1) / hits_Q,
        "map50_thesis": strict_QK.sum(dim=1) / hits_Q,
    }


def _per_query(ranks: Ranks) -> dict[str, Shaped[np.ndarray, " Q"]]:
    values = {"rank": ranks.first_Q} | average_precisions(ranks)
    return {name: value.cpu().numpy() for name, value in values.items()}


def _summary(queries: dict[str, Shaped[np.ndarray, " Q"]], *, gallery: int) -> dict[str, float]:
    rank_Q = queries["rank"]
    # A rank behind the gallery (nothing relevant) is no hit, however small the gallery is.
    recall = {f"r{k}": _percent(rank_Q <= min(k, gallery)) for k in (1, 5, 10)}
    precision = {name: _percent(queries[name]) for name in queries if name != "rank"}
    return recall | precision | {"medr": float(np.median(rank_Q))}


def _percent(share_Q: Shaped[np.ndarray, " Q"] | Shaped[Tensor, " Q"]) -> float:
    return 100 * float(share_Q.mean())


def _refuse(side: str, embedding_BE: Float[Tensor, "B E"]) -> None:
    if not len(embedding_BE):
        raise ValueError(f"retrieval needs at least one {side} embedding, but got none.")
    # The extremes carry NaN and infinity too, in a tenth of the time of looking at each number.
    finite_B = embedding_BE.amax(dim=1).isfinite() & embedding_BE.amin(dim=1).isfinite()
    broken = int((~finite_B).sum())
    if broken:
        raise ValueError(
            f"{side} embeddings must be finite, but {broken} of {len(embedding_BE)} are not: "
            "the model has diverged."
        )
