"""A small packed data set made by the tests: coloured squares, a tone for each class."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from data_shards import files
from data_shards.manifest import NAME, ClassCount, Data, Manifest, Shard, Split, load

RATE = 16_000


def jpeg(number: int, class_id: int, size: tuple[int, int] = (80, 64)) -> bytes:
    """A picture whose colour tells the class, with noise that tells the image."""
    rng = np.random.default_rng([number, class_id])
    colour = np.random.default_rng(class_id).integers(0, 200, 3)
    pixels = colour + rng.integers(0, 50, (size[1], size[0], 3))
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def flac(number: int, class_id: int, rate: int = RATE) -> bytes:
    """A tone whose pitch tells the class; length and noise differ."""
    rng = np.random.default_rng([number, class_id])
    time = np.arange(int(rate * (0.3 + 0.1 * (number % 4)))) / rate
    wave = 0.3 * np.sin(2 * np.pi * (300 + 150 * class_id) * time) + 0.01 * rng.normal(
        size=len(time)
    )
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def members(
    image_id: str, number: int, class_id: int, captions: int, voices: Sequence[str] = ("sine",)
) -> dict[str, bytes]:
    """The members of one sample, by suffix; its captions take the voices in turn."""
    spoken = {f"{c}.flac": flac(10 * number + c, class_id) for c in range(captions)}
    about = {
        "image_id": image_id,
        "class_id": class_id,
        "class_name": f"class {class_id}",
        "captions": [
            {"text": f"tone {class_id}", "voice": voices[(class_id + number + c) % len(voices)]}
            for c in range(captions)
        ],
    }
    return {"jpg": jpeg(number, class_id), **spoken, "json": json.dumps(about).encode()}


def tar(samples: dict[str, dict[str, bytes]]) -> bytes:
    """A shard of samples: key → suffix → content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for key, parts in samples.items():
            for suffix, content in parts.items():
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _split(
    folder: Path, name: str, classes: range, per_class: int, per_shard: int, voices: Sequence[str]
) -> Split:
    keys = [(c, i) for i in range(per_class) for c in classes]
    samples = {
        f"{name}_{c:02}_{i:02}": members(f"{name}_{c:02}_{i:02}", i, c, 1 + i % 3, voices)
        for c, i in keys
    }
    shards = []
    for start in range(0, len(samples), per_shard):
        part = dict(list(samples.items())[start : start + per_shard])
        shard = f"{name}-{len(shards):05}.tar"
        (folder / shard).write_bytes(tar(part))
        captions = sum(len(parts) - 2 for parts in part.values())
        sha = hashlib.sha256((folder / shard).read_bytes()).hexdigest()
        shards.append(Shard(shard, len(part), captions, sha))
    spoken = sum(1 + i % 3 for i in range(per_class))
    counts = [ClassCount(c, f"class {c}", per_class, spoken) for c in classes]
    return Split(counts, shards)


def make(
    folder: Path, *, per_class: int = 6, per_shard: int = 10, voices: Sequence[str] = ("sine",)
) -> Data:
    """10 training, 3 validation and 4 test classes, with a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    ranges = {"train": range(1, 11), "val": range(11, 14), "test": range(14, 18)}
    splits = {
        name: _split(folder, name, r, per_class, per_shard, voices) for name, r in ranges.items()
    }
    speech = {"engine": "sine", "voices": list(voices)}
    manifest = Manifest("tones", "made by the tests", {}, speech, splits)
    (folder / NAME).write_text(manifest.to_json())
    return load(folder)


def replace_member(data: Data, shard: str, name: str, content: bytes) -> Data:
    """Put other bytes in the place of a member, as if they had been packed so."""
    path = Path(files.join(data.folder, shard))
    out = io.BytesIO()
    with tarfile.open(path) as archive, tarfile.open(fileobj=out, mode="w") as rewritten:
        for info in archive:
            stream = archive.extractfile(info)
            assert stream is not None
            body = content if info.name == name else stream.read()
            info.size = len(body)
            rewritten.addfile(info, io.BytesIO(body))
    path.write_bytes(out.getvalue())
    return sign(data)


def sign(data: Data) -> Data:
    """Write the manifest anew with the hashes that the shards have now."""
    manifest = Path(data.folder) / NAME
    value = json.loads(manifest.read_text())
    for split in value["splits"].values():
        for shard in split["shards"]:
            content = (Path(data.folder) / shard["name"]).read_bytes()
            shard["sha256"] = hashlib.sha256(content).hexdigest()
    manifest.write_text(json.dumps(value))
    return load(data.folder)
