"""A finished trial, and what its pictures are made of."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from data_shards import draws, files, samples
from data_shards.errors import DataError, UsageError
from data_shards.front_end import FrontEnd
from data_shards.manifest import Data
from data_shards.raw import Raw
from data_shards.sound import decode_speech
from orchestrator.kept import kept_weights
from orchestrator.storage import Record, Storage
from trainables.data_check import training_classes
from trainables.experiment import Experiment
from trainables.explaining import trained_model
from trainables.model import DualEncoder
from trainables.speech_encoders import front_end
from trainables.voices import wanted

SHOWN = 4  # test images with their captions, each of another class
SEED = 0  # of what is shown: the same for all trials, so that their pictures compare


class NotDrawn(Exception):  # noqa: N818 (nothing is wrong)
    """Why there is no such picture of a trial, in one line."""


@dataclass(frozen=True)
class Shown:
    """A test sample, and the one of its captions that is shown with it."""

    raw: Raw
    caption: int

    @property
    def text(self) -> str:
        """What the caption says."""
        return self.raw.texts[self.caption]

    @property
    def flac(self) -> bytes:
        """How it sounds."""
        return self.raw.flacs[self.caption]


@dataclass(frozen=True)
class Subject:
    """A trial with a record, and its data."""

    storage: Storage
    record: Record
    data: Data
    weights: dict[str, Tensor]
    """What training changed, as it was at the chosen epoch."""

    @property
    def id(self) -> str:
        """The trial's id."""
        return str(self.record["trial_id"])

    @property
    def where(self) -> str:
        """For titles, e.g. `trial 0123456789ab on synth`."""
        return f"trial {self.id} on {self.record['dataset']}"

    @cached_property
    def experiment(self) -> Experiment:
        """What the trial ran."""
        return Experiment.from_dict(self.record["experiment"])

    @cached_property
    def queries(self) -> dict[str, np.ndarray]:
        """Per-query arrays of the test split."""
        return self.storage.queries(self.id)

    @cached_property
    def model(self) -> DualEncoder:
        """The model with the weights of the chosen epoch, on the CPU.

        Raises:
            DataError: the weights do not fit, or a backbone's published weights cannot be had.
        """
        classes = training_classes(self.experiment, self.data.manifest)
        return trained_model(self.experiment, self.weights, classes=len(classes))

    @cached_property
    def front(self) -> FrontEnd:
        """What makes the frames that the model hears."""
        return front_end(self.experiment, device=torch.device("cpu"))

    def heard(self, shown: Shown) -> Tensor:
        """Frames (T, F) of a caption, as the model hears them.

        Raises:
            DataError: it cannot be heard.
        """
        try:
            return decode_speech(shown.flac, self.front).float()
        except ValueError as error:
            raise DataError(f"{shown.raw.where}: {error}; see `data verify`.") from error

    @cached_property
    def shown(self) -> list[Shown]:
        """Test samples to show, each of another class; a caption that the trial was tested on."""
        raws = samples.of_classes(self.data, "test", SHOWN, seed=SEED)
        return [Shown(raw, self._caption(raw)) for raw in raws]

    def _caption(self, raw: Raw) -> int:
        voices = wanted(self.experiment, self.data.manifest, "test")
        among = voices.captions(raw.image_id, raw.voices) or list(range(len(raw.flacs)))
        return among[draws.key(SEED, "shown caption", raw.image_id) % len(among)]

    @cached_property
    def class_names(self) -> dict[int, str]:
        """Names of the test classes."""
        return samples.class_names(self.data, "test")


def find_record(storage: Storage, trial_id: str) -> Record:
    """The record of a trial.

    Raises:
        UsageError: there is no such trial, or it is not finished.
    """
    recorded = storage.record_ids()
    if trial_id not in recorded:
        begun = trial_id in storage.report_ids() | storage.checkpoint_ids()
        raise _unfinished(trial_id) if begun else _no_such(trial_id, recorded, storage)
    record = storage.record(trial_id)
    assert record is not None, "it was listed, and nothing deletes records"
    return record


def _unfinished(trial_id: str) -> UsageError:
    return UsageError(
        f"a trial must be finished to be explained, but {trial_id} has no record yet: run its "
        "sweep again to go on with it."
    )


def _no_such(trial_id: str, recorded: set[str], storage: Storage) -> UsageError:
    close = get_close_matches(trial_id, sorted(recorded), n=1)
    guess = (
        f" Did you mean {close[0]!r}?" if close else " `plan SWEEP` shows the ids of its trials."
    )
    return UsageError(
        f"a trial must have a record in {files.shown(storage.url)!r}, but {trial_id!r} has none."
        f"{guess}"
    )


def subject(storage: Storage, record: Record, data: Data) -> Subject:
    """The trial of a record, with its data and weights.

    Raises:
        UsageError: the data are other ones, the weights were deleted, or the code has changed.
        DataError: the weights are damaged.
    """
    trial_id, wanted_hash = record["trial_id"], record["experiment"]["data"]
    if wanted_hash != data.manifest.hash:
        raise UsageError(
            f"--data must be the data of trial {trial_id}, {record['dataset']} {wanted_hash}, but "
            f"{files.shown(data.folder)} holds {data.manifest.dataset} {data.manifest.hash}."
        )
    return Subject(storage, record, data, kept_weights(storage, record, to="be explained"))
