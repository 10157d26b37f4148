"""The peer: the same sweep over γ as a good engineer writes it in an afternoon with these packages.

`python -m benchmarks.vanilla_sweep --data DIR --out DIR --attention B3 --gammas 1 5 --epochs 2`

A Ray Tune function, the stock `MLflowLoggerCallback` on SQLite, WebDataset over the same shards:
JPEG, one random caption's FLAC and its log-mel frames are decoded in every epoch of every trial,
captions padded or cut to 640 frames, the frozen backbone run again on every image. Model, sizes,
loss, optimiser and batches are ours; what would be the same lines is imported.

Settings, as measured on 2 cores (SETTINGS).
"""

import argparse
import copy
import io
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import webdataset
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn.functional import normalize

from data_shards.logmel import LogMel
from trainables import components
from trainables.image_encoders import backbone
from trainables.image_encoders.cbam import CBAM
from trainables.losses.matching import Matching
from trainables.speech_encoders.base import VectorialAttention, valid_frames

FRAMES, BATCH, CHUNK = 640, 64, 64
SIZE, MELS, EMBEDDING, HIDDEN = 192, 40, 128, 64  # preset demo
LEARNING_RATE, BETAS, DECAY = 2e-3, (0.95, 0.999), 1e-5
Sample = tuple[Tensor, Tensor, int, int]


@dataclass(frozen=True)
class Result:
    """What a trial found, percent, and what it took."""

    gamma: float
    s2i_r1: float
    i2s_r1: float
    seconds: float


class ImageSide(nn.Module):
    """Backbone → [CBAM] → pool → batch norm → linear; a pretrained backbone is frozen."""

    def __init__(self, name: str, attention: str) -> None:
        super().__init__()
        self.backbone = backbone(name)()
        self.frozen = bool(components.constant("image_encoders", name, "PRETRAINED"))
        self.backbone.requires_grad_(not self.frozen)
        self.cbam = None
        if attention == "B3":
            self.cbam = CBAM(self.backbone.channels16, reduction=16, kernel=7)
        self.norm = nn.BatchNorm1d(self.backbone.channels_head)
        self.fc = nn.Linear(self.backbone.channels_head, EMBEDDING)

    def train(self, mode: bool = True) -> "ImageSide":
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, pixels_B3SS: Tensor) -> Tensor:
        mean, std = (
            torch.tensor(v)[:, None, None] for v in (self.backbone.mean, self.backbone.std)
        )
        trains = self.training and not self.frozen
        with torch.set_grad_enabled(trains):
            map_BCHW = self.backbone.stride16((pixels_B3SS / 255 - mean) / std)
        # Behind CBAM the frozen layers must pass gradients on.
        with torch.set_grad_enabled(trains or (self.training and self.cbam is not None)):
            map_BCHW = self.cbam(map_BCHW) if self.cbam is not None else map_BCHW
            pooled_BC = self.backbone.head(self.backbone.stride32(map_BCHW)).mean((2, 3))
        return normalize(self.fc(self.norm(pooled_BC)), dim=1)


class SpeechSide(nn.Module):
    """Three bidirectional GRUs, each on pairs of frames, then vectorial attention."""

    def __init__(self) -> None:
        super().__init__()
        units = EMBEDDING // 2
        self.layers = nn.ModuleList(
            nn.GRU(features, units, batch_first=True, bidirectional=True)
            for features in (2 * MELS, 4 * units, 4 * units)
        )
        self.attention = VectorialAttention(2 * units, hidden=HIDDEN)

    def forward(self, hidden_BTD: Tensor, length_B: Tensor) -> Tensor:
        for layer in self.layers:
            batch, frames, features = hidden_BTD.shape
            hidden_BTD, _ = layer(hidden_BTD.reshape(batch, frames // 2, 2 * features))
        valid_BT = valid_frames((length_B + 7) // 8, frames=hidden_BTD.shape[1])
        return normalize(self.attention(hidden_BTD, valid_BT=valid_BT), dim=1)


class Decode:
    """A sample's bytes → the centred square, frames of one or of all captions, their class."""

    def __init__(self, *, every_caption: bool) -> None:
        self.every_caption = every_caption
        self.logmel = LogMel(mels=MELS)

    def __call__(self, sample: dict[str, Any]) -> tuple[Tensor, list[Tensor], int]:
        with Image.open(io.BytesIO(sample["jpg"])) as image:
            square = ImageOps.fit(image.convert("RGB"), (SIZE, SIZE), Image.Resampling.BILINEAR)
        flacs = [name for name in sample if name.endswith(".flac")]
        chosen = flacs if self.every_caption else [random.choice(flacs)]  # noqa: S311
        pixels_3SS = torch.from_numpy(np.array(square)).permute(2, 0, 1)
        label = int(json.loads(sample["json"])["class_id"])
        return pixels_3SS, [self._frames(sample[name]) for name in chosen], label

    def _frames(self, flac: bytes) -> Tensor:
        wave, _ = soundfile.read(io.BytesIO(flac), dtype="float32")
        return self.logmel(torch.from_numpy(wave))


def collate(samples: list[tuple[Tensor, list[Tensor], int]]) -> tuple[Tensor, ...]:
    """Pixels, all captions as 640 frames each, their lengths, classes of images and captions."""
    captions = [(frames_TF[:FRAMES], label) for _, all_, label in samples for frames_TF in all_]
    frames_BTF = torch.zeros(len(captions), FRAMES, MELS)
    for row_TF, (frames_TF, _) in zip(frames_BTF, captions, strict=True):
        row_TF[: len(frames_TF)] = frames_TF
    length_B = torch.tensor([len(frames_TF) for frames_TF, _ in captions])
    pixels_B3SS = torch.stack([pixels_3SS for pixels_3SS, _, _ in samples])
    image_class = torch.tensor([label for _, _, label in samples])
    return pixels_B3SS, frames_BTF, length_B, image_class, torch.tensor([n for _, n in captions])


def batches(data: str, split: str, *, workers: int) -> Iterator[tuple[Tensor, ...]]:
    """An epoch of training batches, shuffled; of another split all images with all captions."""
    shards = sorted(str(path) for path in Path(data).glob(f"{split}-*.tar"))
    train = split == "train"
    dataset = webdataset.WebDataset(shards, shardshuffle=len(shards) if train else False)
    if train:
        dataset = dataset.shuffle(2048)  # of bytes, before they are decoded
    dataset = dataset.map(Decode(every_caption=not train))
    loader = webdataset.WebLoader(
        dataset, batch_size=None, num_workers=min(workers, len(shards)), collate_fn=None
    )
    size = BATCH if train else CHUNK
    yield from loader.batched(size, collation_fn=collate, partial=not train)


@torch.inference_mode()
def evaluate(
    image: nn.Module, speech: nn.Module, data: str, split: str, **how: Any
) -> dict[str, float]:
    """R@1, 5, 10 and mAP@50 in both directions, percent."""
    image.eval(), speech.eval()
    found = [
        (image(pixels), speech(frames, length), image_class, speech_class)
        for pixels, frames, length, image_class, speech_class in batches(data, split, **how)
    ]
    image_NE, speech_ME, image_class_N, speech_class_M = (torch.cat(part) for part in zip(*found))
    s2i = ranked(speech_ME, image_NE, speech_class_M, image_class_N)
    i2s = ranked(image_NE, speech_ME, image_class_N, speech_class_M)
    named = {"s2i": s2i, "i2s": i2s}
    return {f"{way}_{name}": value for way, one in named.items() for name, value in one.items()}


def ranked(
    query_QE: Tensor, gallery_GE: Tensor, query_class: Tensor, gallery_class: Tensor
) -> dict[str, float]:
    """The usual loop over the queries."""
    found: dict[str, list[float]] = {"r1": [], "r5": [], "r10": [], "map50": []}
    rank = torch.arange(1, min(50, len(gallery_GE)) + 1)
    for score_G, label in zip(query_QE @ gallery_GE.T, query_class, strict=True):
        hit_G = (gallery_class[score_G.argsort(descending=True)] == label).float()
        for k in (1, 5, 10):
            found[f"r{k}"].append(100 * float(hit_G[:k].max()))
        top_K = hit_G[:50]
        precision = (top_K * top_K.cumsum(0) / rank).sum() / hit_G.sum().clamp(max=50)
        found["map50"].append(100 * float(precision))
    return {name: sum(values) / len(values) for name, values in found.items()}


def trial(config: dict[str, Any]) -> None:
    """A Tune function: trains, reports each epoch, tests the best."""
    from ray import tune

    started = time.time()
    torch.set_num_threads(config["threads"])
    torch.manual_seed(config["seed"])
    random.seed(config["seed"])
    image, speech = ImageSide(config["image_encoder"], config["attention"]), SpeechSide()
    model, loss_of = nn.ModuleList([image, speech]), Matching(gamma=config["gamma"])
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=LEARNING_RATE, betas=BETAS, weight_decay=DECAY)
    where, how = config["data"], {"workers": config["workers"]}
    best, best_state = -1.0, model.state_dict()
    for epoch in range(1, config["epochs"] + 1):
        model.train()
        for pixels, frames, length, label, _ in batches(where, "train", **how):
            loss = loss_of(
                image(pixels), speech(frames, length), label, generator=torch.Generator()
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        found = evaluate(image, speech, where, "val", **how)
        if found["s2i_r1"] + found["i2s_r1"] > best:
            best = found["s2i_r1"] + found["i2s_r1"]
            best_state = copy.deepcopy(model.state_dict())
        if epoch < config["epochs"]:
            tune.report(found | {"epoch": epoch, "loss": loss.item()})
    model.load_state_dict(best_state)
    test = evaluate(image, speech, where, "test", **how)
    tested = {f"test_{name}": value for name, value in test.items()}
    tune.report(
        found | tested | {"epoch": epoch, "loss": loss.item(), "taken": time.time() - started}
    )


def run(
    data: str,
    out: str,
    *,
    gammas: list[float],
    attention: str = "B3",
    image_encoder: str = "efficientnet_lite0",
    epochs: int = 2,
    concurrent: int = 2,
    threads: int = 1,
    workers: int = 0,
) -> tuple[list[Result], float]:
    """The trials' results, and the seconds from the sweep's first trial to its last report."""
    import mlflow
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    ray.init(address="local", num_cpus=concurrent * threads, include_dashboard=False)
    uri = f"sqlite:///{Path(out).absolute()}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("gamma")  # makes the database, before any clock runs
    space = {
        "gamma": tune.grid_search(gammas), "attention": attention, "epochs": epochs, "seed": 0,
        "image_encoder": image_encoder, "data": str(Path(data).absolute()), "threads": threads,
        "workers": workers,
    }  # fmt: skip
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": threads}),
        param_space=space,
        tune_config=tune.TuneConfig(max_concurrent_trials=concurrent),
        run_config=tune.RunConfig(
            storage_path=str(Path(out).absolute()), verbose=0,
            callbacks=[MLflowLoggerCallback(tracking_uri=uri, experiment_name="gamma")],
        ),
    )  # fmt: skip
    start = time.perf_counter()
    found = tuner.fit()
    taken = time.perf_counter() - start
    return [_result(one) for one in found], taken


def _result(one: Any) -> Result:
    if one.error:
        raise one.error
    value = one.metrics
    return Result(one.config["gamma"], value["test_s2i_r1"], value["test_i2s_r1"], value["taken"])


def main() -> None:
    """Run the sweep and print it as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--gammas", nargs="+", type=float, required=True)
    parser.add_argument("--attention", default="B3", choices=["B3", "none"])
    parser.add_argument("--image-encoder", default="efficientnet_lite0")
    for name, default in (("epochs", 2), ("concurrent", 2), ("threads", 1), ("workers", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    results, seconds = run(**vars(parser.parse_args()))
    print(json.dumps({"trials": [asdict(one) for one in results], "seconds": seconds}))


if __name__ == "__main__":
    main()
