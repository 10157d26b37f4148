"""The peer: what a good engineer writes in an afternoon with the same packages.

    python -m benchmarks.vanilla_sweep --data DIR --out DIR --gammas 1 5 10 20 50 100

A Ray Tune *function* trainable, the stock `MLflowLoggerCallback`, WebDataset that decodes JPEG and
speech in every epoch of every trial, captions padded or cut to 640 frames, bidirectional GRUs, the
frozen backbone run again for every image, and a loop over queries for R@k and mAP@50. Model, loss,
optimiser, views, epochs and seed are those of ours; nothing is slowed down on purpose: channels
last, evaluation in batches, two trials at once with a thread each, one loader process a trial.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FRAMES, MELS, EMBEDDING, HIDDEN = 640, 40, 128, 64
SIZE, BATCH, LEARNING_RATE, WEIGHT_DECAY = 192, 64, 2e-3, 1e-5
LOADERS = 1


def main() -> None:
    """Run the sweep; one line of JSON: seconds of the whole process, and what each trial found."""
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gammas", type=float, nargs="+", default=[1, 5, 10, 20, 50, 100])
    parser.add_argument("--attention", default="B3", choices=["none", "B3", "B4"])
    parser.add_argument("--image-encoder", default="efficientnet_lite0")
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    trials = _sweep(vars(options) | {"data": str(options.data.absolute())})
    print(json.dumps({"seconds": time.perf_counter() - start, "trials": trials}))


def _sweep(options: dict[str, Any]) -> list[dict[str, Any]]:
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    out = Path(options.pop("out")).absolute()
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    tracking = f"sqlite:///{out}/mlflow.db"
    callback = MLflowLoggerCallback(tracking_uri=tracking, experiment_name="gamma")
    found = tune.Tuner(
        tune.with_resources(_trial, {"cpu": 1}),
        param_space=options | {"gamma": tune.grid_search(options.pop("gammas"))},
        run_config=tune.RunConfig(storage_path=str(out), verbose=0, callbacks=[callback]),
    ).fit()
    if found.errors:
        sys.exit(str(found.errors[0]))
    return [
        {key: result.metrics[key] for key in ("gamma", "s2i_r1", "i2s_r1", "time_total_s")}
        for result in found
        if result.metrics
    ]


def _trial(config: dict[str, Any]) -> None:
    import torch
    from ray import tune

    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    model = _model(config["image_encoder"], config["attention"])
    model.to(memory_format=torch.channels_last)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.Adam(
        trained, LEARNING_RATE, betas=(0.95, 0.999), weight_decay=WEIGHT_DECAY
    )
    best, state = -1.0, {}
    for epoch in range(1, config["epochs"] + 1):
        loss = _train_epoch(model, optimiser, config["data"], config["gamma"])
        metrics = _evaluate(model, config["data"], "val")
        if metrics["s2i_r1"] + metrics["i2s_r1"] > best:
            best = metrics["s2i_r1"] + metrics["i2s_r1"]
            state = {name: value.clone() for name, value in model.state_dict().items()}
        tune.report({"epoch": epoch, "loss": loss, **{f"val_{k}": v for k, v in metrics.items()}})
    model.load_state_dict(state)
    tune.report({"gamma": config["gamma"], **_evaluate(model, config["data"], "test")})


def _train_epoch(model: Any, optimiser: Any, data: str, gamma: float) -> float:
    import torch

    model.train()
    losses = []
    for pixels, frames, classes in _loader(data, "train", training=True):
        score = gamma * model.speech(frames) @ model.image(pixels).T
        same = (classes[:, None] == classes).fill_diagonal_(False)
        score = score.masked_fill(same, float("-inf"))
        target = torch.arange(len(classes))
        cross_entropy = torch.nn.functional.cross_entropy
        loss = cross_entropy(score, target) + cross_entropy(score.T, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def _loader(data: str, split: str, *, training: bool) -> Any:
    """Training: one random caption an image. Else all captions of each: lists of samples."""
    import webdataset as wds
    from torch.utils.data import DataLoader

    from data_shards.manifest import load

    shards = [f"{data}/{shard.name}" for shard in load(data).manifest.splits[split].shards]
    shuffle = len(shards) if training else False
    dataset = wds.WebDataset(shards, shardshuffle=shuffle, empty_check=False)
    dataset = (dataset.shuffle(1000) if training else dataset).map(_decoder(training))
    if training:
        dataset = dataset.batched(BATCH, partial=False)
    return DataLoader(dataset, batch_size=None, num_workers=min(LOADERS, len(shards)))


def _decoder(training: bool) -> Callable[[dict[str, Any]], Any]:
    import io

    import soundfile
    import torch
    from PIL import Image
    from torchaudio.transforms import MelSpectrogram
    from torchvision.transforms import v2

    square = v2.Compose([v2.Resize(256), v2.CenterCrop(256), v2.Resize(SIZE), v2.PILToTensor()])
    mel = MelSpectrogram(16_000, n_fft=512, win_length=400, hop_length=160, n_mels=MELS,
                         window_fn=torch.hamming_window, pad_mode="constant")  # fmt: skip

    def frames(flac: bytes) -> torch.Tensor:
        wave, _ = soundfile.read(io.BytesIO(flac), dtype="float32")
        found = (mel(torch.from_numpy(wave)) + 1e-6).log().T
        found = (found - found.mean(0)) / (found.std(0) + 1e-5)
        return torch.nn.functional.pad(found[:FRAMES], (0, 0, 0, max(0, FRAMES - len(found))))

    def decode(sample: dict[str, Any]) -> Any:
        pixels = square(Image.open(io.BytesIO(sample["jpg"])).convert("RGB"))
        spoken = [sample[key] for key in sample if key.endswith(".flac")]
        class_id = json.loads(sample["json"])["class_id"]
        if training:
            return pixels, frames(random.choice(spoken)), class_id  # noqa: S311 (no secret)
        return pixels, torch.stack([frames(flac) for flac in spoken]), class_id

    return decode


def _evaluate(model: Any, data: str, split: str) -> dict[str, float]:
    import torch

    model.eval()
    images, speech, image_classes, speech_classes = [], [], [], []
    for pixels, captions, class_id in _loader(data, split, training=False):
        images.append(pixels)
        speech.append(captions)
        image_classes.append(class_id)
        speech_classes += [class_id] * len(captions)
    with torch.no_grad():
        image = torch.cat([model.image(part) for part in torch.stack(images).split(BATCH)])
        spoken = torch.cat([model.speech(part) for part in torch.cat(speech).split(BATCH)])
    return {
        f"{name}_{metric}": value
        for name, query, gallery, query_classes, gallery_classes in (
            ("s2i", spoken, image, speech_classes, image_classes),
            ("i2s", image, spoken, image_classes, speech_classes),
        )
        for metric, value in _retrieve(query, gallery, query_classes, gallery_classes).items()
    }


def _retrieve(
    query: Any, gallery: Any, query_classes: list[int], gallery_classes: list[int]
) -> dict[str, float]:
    """The usual loop: a query at a time, its gallery sorted."""
    recall, precisions = dict.fromkeys((1, 5, 10), 0), []
    for row, wanted in zip(query, query_classes, strict=True):
        order = (gallery @ row).argsort(descending=True).tolist()
        hits, total = 0, 0.0
        for rank, index in enumerate(order[:50], start=1):
            if gallery_classes[index] == wanted:
                hits += 1
                total += hits / rank
        precisions.append(total / max(1, min(50, gallery_classes.count(wanted))))
        for k in recall:
            recall[k] += any(gallery_classes[index] == wanted for index in order[:k])
    share = 100 / len(query)
    return {f"r{k}": share * count for k, count in recall.items()} | {
        "map50": share * sum(precisions)
    }


def _model(image_encoder: str, attention: str) -> Any:
    import torch
    from torch import nn

    class Image(nn.Module):
        """Backbone, CBAM, pooling, batch norm, linear layer."""

        def __init__(self) -> None:
            from trainables import components
            from trainables.image_encoders import backbone
            from trainables.image_encoders.cbam import CBAM

            super().__init__()
            self.backbone = backbone(image_encoder)()
            self.frozen = components.constant("image_encoders", image_encoder, "PRETRAINED")
            self.backbone.requires_grad_(not self.frozen)
            channels = {"B3": self.backbone.channels16, "B4": self.backbone.channels32}
            self.cbam = (
                CBAM(channels[attention], reduction=16, kernel=7) if attention in channels else None
            )
            self.norm = nn.BatchNorm1d(self.backbone.channels_head)
            self.fc = nn.Linear(self.backbone.channels_head, EMBEDDING)

        def train(self, mode: bool = True) -> "Image":
            super().train(mode)
            if self.frozen:
                self.backbone.eval()
            return self

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            mean, std = (torch.tensor(v)[:, None, None] for v in (self.backbone.mean,
                                                                  self.backbone.std))  # fmt: skip
            value = (pixels / 255 - mean) / std
            before = {"B3": 1, "B4": 2}.get(attention, 3)
            stages = [self.backbone.stride16, self.backbone.stride32, self.backbone.head]
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
                for stage in stages[:before]:
                    value = stage(value)
            value = value if self.cbam is None else self.cbam(value)
            for stage in stages[before:]:
                value = stage(value)
            return nn.functional.normalize(self.fc(self.norm(value.mean((2, 3)))), dim=1)

    class Speech(nn.Module):
        """Three bidirectional GRUs over pairs of frames, attention over what is not padding."""

        def __init__(self) -> None:
            super().__init__()
            units = EMBEDDING // 2
            sizes = (2 * MELS, 4 * units, 4 * units)
            self.layers = nn.ModuleList(
                nn.GRU(size, units, batch_first=True, bidirectional=True) for size in sizes
            )
            self.attention = nn.Sequential(
                nn.Linear(EMBEDDING, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, EMBEDDING)
            )

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            valid = (frames != 0).any(dim=2).view(len(frames), -1, 8).any(dim=2)
            for layer in self.layers:
                batch, time_steps, features = frames.shape
                frames, _ = layer(frames.reshape(batch, time_steps // 2, 2 * features))
            score = self.attention(frames).masked_fill(~valid[:, :, None], float("-inf"))
            weight = score.softmax(dim=1)
            return nn.functional.normalize((weight * frames).sum(dim=1), dim=1)

    model = nn.Module()
    model.image, model.speech = Image(), Speech()
    return model


if __name__ == "__main__":
    main()
