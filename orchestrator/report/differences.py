"""How a run differs from the thesis': fields, data, and how each was measured."""

from collections.abc import Mapping
from typing import Any

from data_shards.manifest import SPLITS
from orchestrator.report.grid import NOTHING, Grid, Head, Line
from orchestrator.report.reproducing import exact
from orchestrator.report.table import Group, Table
from trainables.experiment import Experiment

UNKNOWN = "unknown"
_AUTHOR = {"selection": "test", "backbone_bn": "train", "image_norm": "half", "cbam_kernel": 3}
"""Where the thesis' author ran another value than the preset `thesis` has."""
_THESIS_DATA = {
    "oxford102": {
        "train": "82 classes, 7034 images, 70340 captions",
        "test": "20 classes, 1155 images, 11550 captions",
    },
    "cub200": {
        "train": "150 classes, 8855 images, 88550 captions",
        "test": "50 classes, 2933 images, 29330 captions",
    },
    "flickr8k": {
        "train": "6000 images, 30000 captions",
        "val": "1000 images, 5000 captions",
        "test": "1000 images, 5000 captions",
    },
}
_THESIS_IMAGES = {"oxford102": (7034, 1155), "cub200": (8855, 2933), "flickr8k": (6000, 1000)}
"""Images trained on and images of the gallery."""
_SPOKEN = {"captions an image": "10", "speech": "Tacotron 2", "voices": "1"}
_RECORDED = {"captions an image": "5", "speech": "recordings of people", "voices": NOTHING}
_SHOWN_VOICES = 6
STANDING = (
    "Always so here, and not in the code of the thesis' author: padding of speech is masked, and "
    "the gallery is the whole test split without duplicates (there: without those of a batch)."
)


def fields_grid(table: Table) -> Grid:
    """The fields of the experiment that are not the thesis' own; those that vary are not here."""
    thesis = Experiment().flat()
    bases = [group.question.base.flat() for group in table.groups]
    decided = {"data", "seed", *table.sweep.design.fields}
    names = [
        name
        for name in bases[0]
        if name not in decided
        and any(base[name] not in (thesis.get(name),) or _departs(name, base) for base in bases)
    ]
    lines = [_field_line(name, bases, thesis) for name in names]
    heads = [Head(name=name) for name in ("here", "preset thesis", "code of the thesis' author")]
    return Grid("fields", "Fields of the experiment that differ.", heads, lines, [STANDING], False)


def _departs(name: str, base: Mapping[str, Any]) -> bool:
    return name in _AUTHOR and base[name] != _AUTHOR[name]


def _field_line(name: str, bases: list[dict[str, Any]], thesis: Mapping[str, Any]) -> Line:
    here = " / ".join(dict.fromkeys(exact(base[name]) for base in bases))
    preset = exact(thesis[name]) if name in thesis else NOTHING
    author = exact(_AUTHOR[name]) if name in _AUTHOR else preset
    return Line(name, [here, preset, author])


def data_grid(table: Table) -> Grid:
    """The data sets, beside what the thesis had; old plans do not tell all of it."""
    columns = [
        (Head(group.name, name=whose), facts)
        for group in table.groups
        for whose, facts in (("here", _data(group)), ("thesis", _thesis_data(group)))
        if facts
    ]
    names = list(dict.fromkeys(name for _, facts in columns for name in facts))
    lines = [Line(name, [facts.get(name, NOTHING) for _, facts in columns]) for name in names]
    heads = [head for head, _ in columns]
    return Grid("data", "The data.", heads, lines, numeric=False)


def unlike(group: Group) -> str:
    """In one sentence, what keeps our numbers and the thesis' from being alike; "" if nothing."""
    question = group.question
    if not question.facts or question.dataset not in _THESIS_IMAGES:
        return ""
    splits, budget = question.facts["splits"], Experiment().epochs
    trained = ["train", "val"] if question.base.selection == "last" else ["train"]
    train = sum(splits[name]["images"] for name in trained if name in splits)
    theirs, gallery = _THESIS_IMAGES[question.dataset]
    pairs = {
        "epochs": (question.base.epochs, budget),
        "training images": (train, theirs),
        "images in the gallery": (splits["test"]["images"], gallery),
    }
    other = [f"{ours} of {their} {what}" for what, (ours, their) in pairs.items() if ours != their]
    if question.base.model != Experiment().image_encoder:
        other.append(f"{question.base.model} for {Experiment().image_encoder}")
    return ", ".join(other)


def _data(group: Group) -> dict[str, str]:
    question = group.question
    facts = question.facts
    found = {"data set": question.dataset, "manifest": question.base.data}
    if not facts:
        unknown = ("source", *SPLITS, "captions an image", "speech", "voices")
        return found | dict.fromkeys(unknown, UNKNOWN)
    splits, speech = facts["splits"], facts["speech"]
    found["source"] = facts["source"] or NOTHING
    found |= {name: _counts(splits[name]) for name in SPLITS if name in splits}
    found["captions an image"] = _captions(splits["train"])
    found["speech"] = " ".join(str(speech.get(key, "")) for key in ("engine", "version")).strip()
    found["voices"] = _voices(speech.get("voices", []))
    found["options"] = ", ".join(f"{name}={value}" for name, value in facts["options"].items())
    skipped = (f"{count} {reason}" for reason, count in facts["skipped"].items())
    found["left out"] = ", ".join(skipped) or "nothing"
    return found


def _thesis_data(group: Group) -> dict[str, str]:
    dataset = group.question.dataset
    if dataset not in _THESIS_DATA:
        return {}
    spoken = _RECORDED if dataset == "flickr8k" else _SPOKEN
    return _THESIS_DATA[dataset] | spoken


def _counts(split: Mapping[str, int]) -> str:
    return f"{split['classes']} classes, {split['images']} images, {split['captions']} captions"


def _captions(split: Mapping[str, int]) -> str:
    return f"{split['captions'] / split['images']:.3g}" if split["images"] else NOTHING


def _voices(voices: list[str]) -> str:
    if not voices:
        return UNKNOWN
    shown = ", ".join(voices[:_SHOWN_VOICES]) + (", …" if len(voices) > _SHOWN_VOICES else "")
    return f"{len(voices)} ({shown})"
