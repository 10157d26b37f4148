"""A finished trial's model, ready to embed whatever is asked of it."""

from dataclasses import dataclass
from functools import cached_property

import torch

from data_shards import files
from data_shards.errors import UsageError
from data_shards.front_end import FrontEnd
from orchestrator.embedder import Embedder
from orchestrator.kept import kept_weights
from orchestrator.pictures.subject import find_record
from orchestrator.storage import Record, Storage
from trainables import weights as published
from trainables.experiment import Experiment
from trainables.model import DualEncoder
from trainables.speech_encoders import front_end


@dataclass(frozen=True)
class Trained:
    """A trial with a record, and its model at the chosen epoch, on the CPU."""

    record: Record
    experiment: Experiment
    model: DualEncoder

    @property
    def id(self) -> str:
        """The trial's id."""
        return str(self.record["trial_id"])

    @cached_property
    def front(self) -> FrontEnd:
        """What makes the frames that the model hears."""
        return front_end(self.experiment, device=torch.device("cpu"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights: a trial that ran again may have others."""
        return published.digest(self.model)


def find(storage: Storage, text: str) -> Record:
    """The record of the trial whose id is, or alone begins with, `text`; "" if there is but one.

    Raises:
        UsageError: there is none, it is not finished, or several begin so.
    """
    begun = sorted(trial_id for trial_id in storage.record_ids() if trial_id.startswith(text))
    if len(begun) > 1 and text not in begun:
        raise _several(begun, text, storage)
    if not (text or begun):
        raise UsageError(
            f"there must be a finished trial to be queried, but {files.shown(storage.url)!r} has "
            "none: run a sweep first, or say --storage."
        )
    return find_record(storage, begun[0] if len(begun) == 1 else text)


def _several(begun: list[str], text: str, storage: Storage) -> UsageError:
    some = ", ".join(begun[:3]) + (", …" if len(begun) > 3 else "")
    which = f"begin with {text!r}" if text else f"are in {files.shown(storage.url)!r}"
    return UsageError(
        f"--trial must name one trial, but {len(begun)} {which}: {some}. `plan SWEEP` shows what "
        "each is."
    )


def trained(storage: Storage, record: Record) -> Trained:
    """The model of a record.

    Raises:
        UsageError: it is not VFSEL, its weights were deleted, or the code has changed.
        DataError: the weights are damaged, or a backbone's published weights cannot be had.
    """
    weights = kept_weights(storage, record, to="be queried")
    experiment = Experiment.from_dict(record["experiment"])
    model = Embedder(record["experiment"], weights).model.eval()
    # As in training, so that the last bits of an embedding agree with the record's.
    return Trained(record, experiment, model.to(memory_format=torch.channels_last))
