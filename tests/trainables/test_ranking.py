import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.ranking import TILE, rank_gallery, rank_scores


def row(*values: float) -> torch.Tensor:
    return torch.tensor([values])


def test_ranks_of_a_table_worked_by_hand():
    score = torch.tensor([[0.1, 0.9, 0.5, 0.3], [0.4, 0.1, 0.2, 0.3]])
    relevant = torch.tensor([[True, False, True, False], [False, True, False, False]])
    ranks = rank_scores(score, relevant_QG=relevant)
    assert ranks.first_Q.tolist() == [2, 4]
    assert ranks.relevant_Q.tolist() == [2, 1]
    assert ranks.hit_QK.tolist() == [[False, True, False, True], [False, False, False, True]]
    assert ranks.top_QS.tolist() == [[1, 2, 3, 0], [0, 3, 2, 1]]


def test_among_equal_scores_the_lower_index_comes_first():
    ranks = rank_scores(
        row(0.5, 0.7, 0.5, 0.5), relevant_QG=torch.tensor([[False, False, False, True]])
    )
    assert ranks.first_Q.tolist() == [4]
    assert ranks.hit_QK.tolist() == [[False, False, False, True]]


def test_no_relevant_item_ranks_behind_the_gallery():
    ranks = rank_scores(row(0.1, 0.2), relevant_QG=torch.zeros(1, 2, dtype=torch.bool))
    assert (ranks.first_Q.tolist(), ranks.relevant_Q.tolist()) == ([3], [0])


@pytest.mark.parametrize("gallery", [49, 50, 51, 52, 200])
def test_ties_across_rank_50_are_cut_by_index(gallery):
    relevant = torch.zeros(1, gallery, dtype=torch.bool)
    relevant[0, 49:] = True  # with all scores equal only the item at index 49 stays
    ranks = rank_scores(torch.zeros(1, gallery), relevant_QG=relevant)
    assert ranks.hit_QK.shape == (1, min(50, gallery))
    assert ranks.hit_QK.sum() == int(gallery > 49)


def test_tie_across_rank_50_behind_better_items():
    score = torch.zeros(1, 80)
    score[0, 70:] = torch.arange(1.0, 11.0)  # ten better ones at the end, best last
    relevant = torch.zeros(1, 80, dtype=torch.bool)
    relevant[0, [79, 39, 40]] = True  # rank 1, rank 50, rank 51
    hits = rank_scores(score, relevant_QG=relevant).hit_QK[0]
    assert hits.nonzero().flatten().tolist() == [0, 49]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32), queries=st.integers(1, 8), gallery=st.integers(1, 130),
    levels=st.sampled_from([1, 2, 6, 10**6]), share=st.sampled_from([0, 0.02, 0.2, 1]),
)  # fmt: skip
def test_ranking_equals_a_full_stable_sort(seed, queries, gallery, levels, share):
    """With one level all scores tie, with a million hardly any; a row may have no relevant item."""
    generator = torch.Generator().manual_seed(seed)
    score = torch.randint(levels, (queries, gallery), generator=generator).float()
    relevant = torch.rand(queries, gallery, generator=generator) < share
    order = score.sort(dim=1, descending=True, stable=True).indices
    wanted = relevant.gather(1, order)
    ranks = rank_scores(score, relevant_QG=relevant)
    assert torch.equal(ranks.hit_QK, wanted[:, :50])
    assert torch.equal(ranks.top_QS.long(), order[:, :5])
    first = torch.where(wanted.any(1), wanted.int().argmax(1) + 1, gallery + 1)
    assert torch.equal(ranks.first_Q, first)
    assert torch.equal(ranks.relevant_Q, wanted.sum(1))


@pytest.mark.parametrize("gallery", [TILE - 1, TILE, TILE + 1, 3 * TILE + 5])
def test_tiles_change_nothing(gallery):
    generator = torch.Generator().manual_seed(0)
    query, items = (torch.randn(n, 64, generator=generator) for n in (40, gallery))
    query_class, item_class = (torch.arange(n) % 7 for n in (40, gallery))
    ranks = rank_gallery(
        query, gallery_GE=items, query_class_Q=query_class, gallery_class_G=item_class
    )
    whole = rank_scores(query @ items.T, relevant_QG=query_class[:, None] == item_class)
    for name in ("first_Q", "relevant_Q", "hit_QK", "top_QS"):
        assert torch.equal(getattr(whole, name), getattr(ranks, name))


def test_equal_items_score_equally_in_every_tile():
    """Else a collapsed model would be ranked by rounding, and not at chance."""
    item = torch.randn(1, 96, generator=torch.Generator().manual_seed(0))
    gallery = 2 * TILE + 1
    relevant_last = torch.arange(gallery) == gallery - 1
    ranks = rank_gallery(
        item.expand(16, -1), gallery_GE=item.expand(gallery, -1).contiguous(),
        query_class_Q=torch.ones(16, dtype=torch.int64), gallery_class_G=relevant_last.long(),
    )  # fmt: skip
    assert set(ranks.first_Q.tolist()) == {gallery}


@pytest.mark.parametrize("chunk_scores", [1, 7, 30, 10**6])
def test_chunks_change_nothing(chunk_scores):
    generator = torch.Generator().manual_seed(0)
    query, gallery = (torch.randint(-2, 3, (n, 4), generator=generator).float() for n in (13, 60))
    query_class, gallery_class = (torch.arange(n) % 5 for n in (13, 60))
    arguments = {
        "gallery_GE": gallery,
        "query_class_Q": query_class,
        "gallery_class_G": gallery_class,
    }
    whole = rank_gallery(query, **arguments)
    parts = rank_gallery(query, **arguments, chunk_scores=chunk_scores)
    for name in ("first_Q", "relevant_Q", "hit_QK", "top_QS"):
        assert torch.equal(getattr(whole, name), getattr(parts, name))
