"""eSpeak NG from the wheel `espeakng-loader`: the default engine, installed by pip alone."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from data_shards.errors import DataError, UsageError
from data_shards.speech.base import Samples, SpeechEngine, first_voices, resample
from data_shards.speech.espeak_worker import receive, send

# Run as a file: as a module it would import NumPy and SciPy, and it forks once a caption.
_WORKER = Path(__file__).with_name("espeak_worker.py")

# Accent, then a variant (pitch, formants, breath). Neighbours differ most, in sex and accent, so
# that a few voices already differ; mean pitch on one sentence is from 88 Hz (m8) to 242 Hz (Annie).
_VOICES = (
    "en-us",
    "en-gb-scotland+f3",
    "en-029+m7",
    "en-us+Annie",
    "en-gb-x-rp+m4",
    "en-us-nyc+f1",
    "en-gb-x-gbclan+m8",
    "en-gb-x-rp+f5",
    "en-gb-scotland+m2",
    "en-029+f2",
    "en-us+klatt",
    "en-gb-x-gbcwmd+f4",
)


class Engine(SpeechEngine):
    """A worker process that speaks for as long as this object lives.

    Raises:
        UsageError: the wheel is not installed, or its library does not load.
    """

    def __init__(self) -> None:
        if find_spec("espeakng_loader") is None:
            raise UsageError(
                "speech engine 'espeak' is not installed: run `pip install espeakng-loader`."
            )
        self._worker = subprocess.Popen(
            [sys.executable, str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the worker ends when its input does
        )
        greeting = self._receive()
        if greeting is None:
            self.close()
            raise UsageError(
                "speech engine 'espeak' does not start: reinstall it with "
                "`pip install --force-reinstall espeakng-loader`."
            )
        self._greeting: dict[str, Any] = json.loads(greeting)

    @property
    def name(self) -> str:
        return "espeak"

    @property
    def version(self) -> str:
        return str(self._greeting["version"])

    def voices(self, count: int) -> list[str]:
        return first_voices(_VOICES, count=count)

    def say(self, text: str, *, voice: str) -> Samples:
        self._send(json.dumps({"text": text, "voice": voice}).encode())
        head = self._receive()
        if head is None:
            raise self._death(text)
        problem = json.loads(head).get("error")
        if problem:
            raise DataError(problem)
        samples = self._receive()
        if samples is None:
            raise self._death(text)
        return resample(np.frombuffer(samples, "<i2"), rate=self._greeting["rate"])

    def close(self) -> None:
        """End the worker; what it was saying is lost."""
        self._worker.kill()
        for stream in (self._worker.stdin, self._worker.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue
        self._worker.wait()

    def _send(self, message: bytes) -> None:
        assert self._worker.stdin is not None
        try:
            send(self._worker.stdin, message)
        except (BrokenPipeError, ValueError) as error:
            raise self._death(message.decode()) from error

    def _receive(self) -> bytes | None:
        assert self._worker.stdout is not None
        return receive(self._worker.stdout)

    def _death(self, text: str) -> DataError:
        return DataError(
            f"the espeak process must live until it is closed, but died at {text!r} "
            f"(exit status {self._worker.poll()}); run the same command again."
        )
