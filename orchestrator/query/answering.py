"""From a query to its answer: what was asked, what was found, and the pictures of both."""

from dataclasses import dataclass
from pathlib import Path

from data_shards.manifest import Data
from orchestrator.query import asked, drawing
from orchestrator.query.found import Found, found
from orchestrator.query.gallery import gallery
from orchestrator.query.page import Answer, Picture
from orchestrator.query.trained import Trained


@dataclass(frozen=True)
class Asked:
    """Of whom, and where, a query is asked."""

    trained: Trained
    data: Data
    split: str
    top: int
    """How many results, at most."""
    cache: Path
    """Where embedded galleries are kept."""

    @property
    def where(self) -> str:
        """E.g. `trial 0123456789ab on the test split of synth`."""
        return f"trial {self.trained.id} on the {self.split} split of {self.data.manifest.dataset}"


def images_for(flac: bytes, ask: Asked, *, name: str) -> Answer:
    """The images that a spoken query finds.

    Args:
        flac: the query (see `asked.sound`).
        name: of its file, for the title.

    Raises:
        UsageError, DataError: as `gallery`.
    """
    images = gallery(ask.trained, ask.data, split=ask.split, side="image", cache=ask.cache)
    speech_E, frames_TF = asked.embedded_sound(ask.trained, flac)
    ranked = images.ranked(speech_E, ask.top)
    shown = found(images, ranked, ask.data, split=ask.split)
    listening = Picture(
        drawing.listening(ask.trained, flac, frames_TF), "image/png",
        "Log-mel spectrogram of the query over time, and how much the model attends to each moment",
        "Above: log-mel bands over time. Below, where the model has attention over time: the share "
        "of each moment in the embedding; dotted: all alike.",
    )  # fmt: skip
    return Answer(
        f"Images found for {name}", _source(ask, len(images.row_G), "images"),
        _heading(shown, "images"), [listening], shown, captions=False, flac=flac,
    )  # fmt: skip


def captions_for(jpeg: bytes, ask: Asked, *, name: str) -> Answer:
    """The spoken captions that a photograph finds; arguments and errors as `images_for`."""
    captions = gallery(ask.trained, ask.data, split=ask.split, side="speech", cache=ask.cache)
    image_E, pixels_3SS = asked.embedded_picture(ask.trained, jpeg)
    ranked = captions.ranked(image_E, ask.top)
    shown = found(captions, ranked, ask.data, split=ask.split)
    heat = drawing.looking(ask.trained, pixels_3SS, captions.embedding_GE[ranked[0][0]])
    pictures = [
        Picture(jpeg, "image/jpeg", "The photograph that asks", "The query."),
        Picture(
            heat, "image/png",
            "The photograph's centred square, coloured where the best caption's cosine comes from",
            "As the model sees it: red is where the cosine with the first caption comes from "
            "(Grad-CAM).",
        ),
    ]  # fmt: skip
    return Answer(
        f"Captions found for {name}", _source(ask, len(captions.row_G), "captions"),
        _heading(shown, "captions"), pictures, shown, captions=True,
    )  # fmt: skip


def _source(ask: Asked, count: int, what: str) -> str:
    return f"{ask.where[0].upper()}{ask.where[1:]}, {count} {what}, {ask.data.manifest.hash}."


def _heading(shown: list[Found], what: str) -> str:
    return f"The {len(shown)} nearest {what}"
