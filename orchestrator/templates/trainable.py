"""A trainable of your own: two linear maps of averages, trained on pairs. Name it in a sweep:

    SWEEP = Sweep(..., trainable="NAME.py", design=Factorial({"size": [16, 64]}))

`train` may do anything, as long as it yields a `Report` an epoch and returns an `Outcome`. The
trial's id holds a digest of this file: change it, and its trials run again.
"""

from collections.abc import Generator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, normalize

from data_shards.columns import SplitFeatures
from data_shards.loader import caption_chunks, image_chunks
from data_shards.manifest import Data
from trainables.evaluation import places
from trainables.toolkit import Outcome, Report, Retrieval, Settings, features, measure, run_epochs

# Its own parameters: numbers, true or false, text. `--set size=64` and factors change them. What
# every trial has anyway is in `settings`: seed, epochs, batch_size, selection, max_broken.
DEFAULTS = {"size": 32, "lr": 0.01, "temperature": 0.1}


def train(
    settings: Settings, *, data: Data, cache: Path, checkpoints: str, device: str, workers: int
) -> Generator[Report, None, Outcome]:
    """Train, report each epoch, return what the test split says; torch is seeded by the trial."""
    splits: dict[str, SplitFeatures] = {}
    inputs: dict[str, tuple[Tensor, Tensor]] = {}

    def load(split: str) -> tuple[Tensor, Tensor]:
        if split not in inputs:
            splits[split] = features(settings, split, data=data, cache=cache)
            images, speech = _images(splits[split]), _speech(splits[split])
            inputs[split] = images.to(device), speech.to(device)
        return inputs[split]

    image_NP, speech_MF = load("train")
    image_of_M = torch.as_tensor(places(splits["train"])["caption_image"], dtype=torch.long)
    model = nn.ModuleDict(
        {
            "image": nn.Linear(image_NP.shape[1], int(settings["size"])),
            "speech": nn.Linear(speech_MF.shape[1], int(settings["size"])),
        }
    ).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings["lr"])

    def train_epoch(epoch: int) -> tuple[float, int]:
        losses = []
        order = torch.randperm(len(speech_MF))
        for start in range(0, len(order), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            image_BE = normalize(model["image"](image_NP[image_of_M[batch].to(device)]))
            speech_BE = normalize(model["speech"](speech_MF[batch.to(device)]))
            scores = speech_BE @ image_BE.T / settings["temperature"]
            loss = cross_entropy(scores, torch.arange(len(batch), device=device))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
        return sum(losses) / len(losses), len(speech_MF)

    @torch.no_grad()
    def measure_split(split: str) -> Retrieval:
        images, speech = load(split)
        image_NE, speech_ME = model["image"](images), model["speech"](speech)
        return measure(splits[split], image_NE=image_NE, speech_ME=speech_ME)

    return (
        yield from run_epochs(
            settings,
            model=model,
            optimiser=optimiser,
            train_epoch=train_epoch,
            measure_split=measure_split,
            checkpoints=checkpoints,
            dropped={"train": splits["train"].dropped},
        )
    )


def _images(split: SplitFeatures) -> Tensor:
    """Colours of each image on a grid of 4 × 4, around 0 (N, 48)."""
    chunks = [adaptive_avg_pool2d(chunk.float(), 4) for chunk in image_chunks(split, 256)]
    return torch.cat(chunks).flatten(1) / 128 - 1


def _speech(split: SplitFeatures) -> Tensor:
    """Each caption's log-mel bands, averaged over time (M, F)."""
    found: Tensor | None = None
    for place_B, frames_BTF, length_B in caption_chunks(split, 256):
        means_BF = frames_BTF.float().sum(1) / length_B[:, None]  # frames behind the end are 0
        if found is None:
            found = means_BF.new_empty(len(split.caption_classes), means_BF.shape[1])
        found[place_B] = means_BF
    assert found is not None
    return found
