from collections import Counter
from dataclasses import dataclass

from PIL import Image

from data_shards.datasets.base import Source, SourceImage
from data_shards.sampling import class_counts, samples_of_splits

VOICES = ["a", "b", "c", "d"]


@dataclass(frozen=True, kw_only=True)
class Nothing(SourceImage):
    def open(self) -> Image.Image:
        raise NotImplementedError


def image(class_id, number):
    captions = tuple(f"caption {index}" for index in range(6))
    return Nothing(
        image_id=f"i{class_id}-{number}", class_id=class_id, class_name="", captions=captions
    )


def source(train=range(12), test=range(20, 24)):
    lists = [[image(c, n) for c in classes for n in range(5)] for classes in (train, test)]
    return Source(dataset="d", description="", train=lists[0], test=lists[1])


def sampled(captions=3, seed=0, given=None, voices=VOICES):
    options = {"captions": captions, "seed": seed}
    return samples_of_splits(given or source(), options=options, voices=voices)


def test_all_images_once_and_no_empty_split():
    assert {name: len(part) for name, part in sampled().items()} == {
        "train": 35,
        "val": 25,
        "test": 20,
    }
    assert "val" not in sampled(given=source(train=range(9)))


def test_captions_of_an_image_are_different_and_in_order():
    for sample in sampled()["train"]:
        texts = [caption.text for caption in sample.captions]
        assert len(set(texts)) == 3
        assert texts == sorted(texts)


def test_which_captions_differs_by_image_and_seed():
    chosen = Counter(c.text for sample in sampled()["train"] for c in sample.captions)
    assert len(chosen) == 6
    assert sampled(seed=1)["test"] != sampled(seed=0)["test"]


def test_all_captions_and_no_more_than_there_are():
    for captions in (None, 6, 100):
        assert all(len(sample.captions) == 6 for sample in sampled(captions)["test"])


def test_captions_of_an_image_have_different_voices():
    for sample in sampled()["train"]:
        assert len({caption.voice for caption in sample.captions}) == 3
    for sample in sampled(captions=6)["train"]:  # more captions than voices: evenly
        assert sorted(Counter(c.voice for c in sample.captions).values()) == [1, 1, 2, 2]
    voices = Counter(sample.captions[0].voice for sample in sampled()["train"])
    assert set(voices) == set(VOICES)


def test_draws_of_an_image_do_not_depend_on_other_images():
    alone = sampled(given=source(test=range(20, 21)))["test"]
    among = [sample for sample in sampled()["test"] if sample.image.class_id == 20]
    assert {s.image.image_id: s.captions for s in alone} == {
        s.image.image_id: s.captions for s in among
    }


def test_order_mixes_classes():
    order = [sample.image.class_id for sample in sampled()["test"]]
    assert order != sorted(order)
    assert len(set(order[:8])) >= 3


def test_class_counts_worked_by_hand():
    counts = class_counts(sampled(captions=2)["test"])
    assert [(c.id, c.images, c.captions) for c in counts] == [(i, 5, 10) for i in range(20, 24)]
