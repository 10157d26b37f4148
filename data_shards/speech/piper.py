"""Piper, a neural voice for CPUs: `pip install 'vfsel-orchestrator[piper]'` (the engine is GPL).

Voices are `.onnx` files with their `.onnx.json`: those of installed packages named `*-piper-voice`
and those in the folder `$PIPER_VOICES`. Of a file with several speakers, each is a voice:
`<file>#<speaker>`.
"""

import json
import os
from importlib.metadata import distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from data_shards.errors import DataError, UsageError
from data_shards.speech.base import Samples, SpeechEngine, first_line, first_voices, resample

_INSTALL = "pip install 'vfsel-orchestrator[piper]'"
_FOLDER = "PIPER_VOICES"


class Engine(SpeechEngine):
    """Speaks in this process; a voice is loaded when it first speaks (half a second, 0.1 GB).

    Raises:
        UsageError: the packages or voices are missing.
    """

    def __init__(self) -> None:
        if find_spec("piper") is None:
            raise UsageError(f"speech engine 'piper' is not installed: run `{_INSTALL}`.")
        self._speakers = _speakers(_voice_files())
        self._loaded: dict[Path, Any] = {}

    @property
    def name(self) -> str:
        return "piper"

    @property
    def version(self) -> str:
        return f"{version('piper-tts')} (onnxruntime {version('onnxruntime')})"

    def voices(self, count: int) -> list[str]:
        return first_voices(tuple(self._speakers), count=count)

    def say(self, text: str, *, voice: str) -> Samples:
        import piper

        if voice not in self._speakers:
            raise DataError(f"Piper has no voice {voice!r}.")
        path, speaker = self._speakers[voice]
        if path not in self._loaded:
            self._loaded[path] = _load(path)
        # Noise would go on where the last caption left it: without it, the same text always
        # gives the same samples. The voice is a little more even.
        manner = piper.SynthesisConfig(speaker_id=speaker, noise_scale=0.0, noise_w_scale=0.0)
        try:
            parts = [part.audio_int16_array for part in self._loaded[path].synthesize(text, manner)]
        except Exception as error:  # onnxruntime has an exception of its own for each failure
            raise DataError(
                f"Piper could not speak {text!r} with {voice!r}: {first_line(error)}"
            ) from error
        samples = np.concatenate([np.zeros(0, np.int16), *parts])
        return resample(samples, rate=self._loaded[path].config.sample_rate)

    def close(self) -> None:
        """Let the voices go."""
        self._loaded.clear()


def _voice_files() -> list[Path]:
    """By name; a file of the folder stands for a package's of the same name."""
    found = {
        Path(str(file)).name: Path(str(package.locate_file(file)))
        for package in distributions()
        if package.name.endswith("-piper-voice")
        for file in package.files or ()
        if file.suffix == ".onnx"
    }
    folder = os.environ.get(_FOLDER)
    if folder and not Path(folder).is_dir():
        raise UsageError(f"{_FOLDER} must be a folder of voices, but {folder} is none.")
    found |= {path.name: path for path in Path(folder).glob("*.onnx")} if folder else {}
    if not found:
        raise UsageError(
            f"speech engine 'piper' has no voice: run `{_INSTALL}`, or name a folder with .onnx "
            f"and .onnx.json files in {_FOLDER}."
        )
    return sorted(found.values(), key=lambda path: path.name)


def _speakers(paths: list[Path]) -> dict[str, tuple[Path, int | None]]:
    """Voice → its file, and which of the file's speakers it is (None: it has one)."""
    speakers: dict[str, tuple[Path, int | None]] = {}
    for path in paths:
        count = _config(path)["num_speakers"]
        if count == 1:
            speakers[path.stem] = path, None
        else:
            speakers |= {f"{path.stem}#{number}": (path, number) for number in range(count)}
    return speakers


def _config(path: Path) -> dict[str, Any]:
    beside = path.with_name(f"{path.name}.json")
    try:
        config = dict(json.loads(beside.read_text(encoding="utf-8")))
        return config | {"num_speakers": int(config["num_speakers"])}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"a Piper voice must have its .onnx.json beside it, but for {path}: {error!r}."
        ) from error


def _load(path: Path) -> Any:
    """The voice on one thread: packing runs a process a core."""
    import onnxruntime
    import piper
    from piper.config import PiperConfig

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        return piper.PiperVoice(config=PiperConfig.from_dict(_config(path)), session=session)
    except Exception as error:  # onnxruntime has an exception of its own for each failure
        raise DataError(
            f"{path} must be a Piper voice, but does not load: {first_line(error)}"
        ) from error
