"""CMU Flite, where the program `flite` is installed."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import soundfile

from data_shards.errors import DataError, UsageError
from data_shards.speech.base import Samples, SpeechEngine, first_voices, resample

_VOICES = ("slt", "awb", "rms", "kal16")


class Engine(SpeechEngine):
    """One short process a caption.

    Raises:
        UsageError: the program is not installed.
    """

    def __init__(self) -> None:
        program = shutil.which("flite")
        if program is None:
            raise UsageError(
                "speech engine 'flite' is not installed: run `apt-get install flite`, "
                "or take the engine 'espeak'."
            )
        self._program = program
        printed = self._run("--version").stdout.decode()
        self._version = re.search(r"flite-([\w.-]+)", printed)

    @property
    def name(self) -> str:
        return "flite"

    @property
    def version(self) -> str:
        return self._version[1] if self._version else "unknown"

    def voices(self, count: int) -> list[str]:
        return first_voices(_VOICES, count=count)

    def say(self, text: str, *, voice: str) -> Samples:
        with tempfile.TemporaryDirectory() as folder:
            words, sound = Path(folder, "caption.txt"), Path(folder, "caption.wav")
            words.write_text(text)
            self._run("-voice", voice, "-f", str(words), "-o", str(sound))
            if not sound.exists():
                raise DataError(f"flite could not speak {text!r} with the voice {voice!r}.")
            samples, rate = soundfile.read(sound, dtype="int16")
        return resample(samples, rate=rate)

    def close(self) -> None:
        """Nothing to end."""

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([self._program, *arguments], capture_output=True, check=False)
