"""The order of an epoch."""

import pytest

from data_shards import order
from data_shards.errors import UsageError


@pytest.mark.parametrize("buffer", [1, 3, 100])
def test_shuffling_keeps_every_item_once(buffer):
    rng = order.sample_rng(seed=0, epoch=1)
    assert sorted(order.shuffled(range(20), rng, buffer=buffer)) == list(range(20))


def test_a_buffer_of_everything_mixes_everything():
    orders = {
        tuple(order.shuffled(range(8), order.sample_rng(seed=seed, epoch=1))) for seed in range(50)
    }
    assert len(orders) == 50
    assert {first for first, *_ in orders} == set(range(8))


def test_shards_come_in_another_order_each_epoch():
    orders = [tuple(order.shard_order(6, seed=0, epoch=epoch)) for epoch in range(5)]
    assert len(set(orders)) > 1
    assert all(sorted(one) == list(range(6)) for one in orders)


def test_every_caption_is_chosen_about_equally_often():
    chosen = [order.caption_choice(3, seed=0, epoch=e, image_id="a") for e in range(3000)]
    assert all(900 < chosen.count(c) < 1100 for c in range(3))


def test_the_caption_of_all_epochs_differs_by_image_and_seed():
    chosen = {
        seed: [order.voice_choice(3, seed=seed, image_id=str(n)) for n in range(3000)]
        for seed in range(2)
    }
    assert all(900 < chosen[0].count(c) < 1100 for c in range(3))
    assert 900 < sum(a == b for a, b in zip(*chosen.values(), strict=True)) < 1100


def test_batches_are_full_and_the_rest_is_dropped():
    assert list(order.batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5]]
    assert list(order.batched(range(6), 3)) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("count", [0, 2])
def test_an_epoch_without_a_batch_is_refused(count):
    with pytest.raises(UsageError, match=f"images, {count}, but got 3"):
        list(order.batched(range(count), 3))
