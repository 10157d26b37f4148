"""A query finds what the trial's record says that it found in its test."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from data_shards import samples
from data_shards.errors import UsageError
from orchestrator.query import answering, asked, gallery


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ask(model, tones, cache):
    return answering.Asked(model, tones, "test", 5, cache)


@pytest.fixture(scope="module")
def queries(storage, model):
    return storage.queries(model.id)


@pytest.fixture(scope="module")
def raws(tones, queries):
    return samples.at_rows(tones, "test", queries["image_row"].tolist())


def test_every_packed_caption_finds_the_images_of_the_record(ask, queries, raws, tmp_path):
    file = tmp_path / "caption.flac"
    images = gallery.gallery(ask.trained, ask.data, split="test", side="image", cache=ask.cache)
    for query, top_S in enumerate(queries["s2i_top"]):
        row = int(queries["image_row"][queries["caption_image"][query]])
        file.write_bytes(raws[row].flacs[queries["caption_number"][query]])
        speech_E, _ = asked.embedded_sound(ask.trained, asked.sound(file))
        assert [place for place, _ in images.ranked(speech_E, 5)] == top_S.tolist()


def test_every_packed_image_finds_the_captions_of_the_record(ask, queries, raws, tmp_path):
    file = tmp_path / "image.jpg"
    captions = gallery.gallery(ask.trained, ask.data, split="test", side="speech", cache=ask.cache)
    for row, top_S in zip(queries["image_row"].tolist(), queries["i2s_top"], strict=True):
        file.write_bytes(raws[row].jpeg)
        image_E, _ = asked.embedded_picture(ask.trained, asked.picture(file))
        assert [place for place, _ in captions.ranked(image_E, 5)] == top_S.tolist()


def test_an_answer_shows_the_samples_that_stand_there(ask, queries, raws):
    row = int(queries["image_row"][queries["caption_image"][0]])
    answer = answering.images_for(raws[row].flacs[0], ask, name="q.wav")
    rows = queries["image_row"][queries["s2i_top"][0]].tolist()
    assert [each.raw for each in answer.found] == [raws[row] for row in rows]
    assert [each.rank for each in answer.found] == [1, 2, 3, 4, 5]
    scores = [each.score for each in answer.found]
    assert scores == sorted(scores, reverse=True)
    assert f"{len(queries['image_row'])} images" in answer.source


def test_captions_come_with_their_own_words_and_sound(ask, queries, raws):
    row = int(queries["image_row"][0])
    answer = answering.captions_for(raws[row].jpeg, ask, name="q.jpg")
    for each, place in zip(answer.found, queries["i2s_top"][0], strict=True):
        of = raws[int(queries["image_row"][queries["caption_image"][place]])]
        assert each.flac == of.flacs[queries["caption_number"][place]]
        assert each.text == f"tone {of.class_id}"
    assert all(
        picture.content[:4] in (b"\x89PNG", raws[row].jpeg[:4]) for picture in answer.pictures
    )


def test_other_data_and_other_splits_can_be_searched(ask, other, raws):
    elsewhere = replace(ask, data=other, split="val", top=100)
    answer = answering.images_for(next(iter(raws.values())).flacs[0], elsewhere, name="q.wav")
    assert len(answer.found) == other.manifest.splits["val"].samples
    assert {each.class_name for each in answer.found} == {f"class {n}" for n in range(11, 14)}


def test_an_unknown_split_is_said_with_those_there_are(ask):
    with pytest.raises(UsageError, match="--split must be one of test, train, val, but got 'tset'"):
        gallery.gallery(ask.trained, ask.data, split="tset", side="image", cache=ask.cache)


def test_a_second_query_needs_no_shard(ask, tones, cache):
    asked_of = {"split": "test", "side": "image", "cache": cache}
    first = gallery.gallery(ask.trained, tones, **asked_of)
    again = gallery.gallery(ask.trained, replace(tones, folder="/nowhere"), **asked_of)
    assert np.array_equal(first.embedding_GE, again.embedding_GE)
    assert np.array_equal(first.row_G, again.row_G)


def test_other_weights_have_a_gallery_of_their_own(model, tones, cache):
    changed = deepcopy(model.model)
    with torch.no_grad():
        changed.image.fc.bias += 1
    asked_of = {"split": "test", "side": "image", "cache": cache}
    first = gallery.gallery(model, tones, **asked_of)
    second = gallery.gallery(replace(model, model=changed), tones, **asked_of)
    assert not np.allclose(first.embedding_GE, second.embedding_GE)
