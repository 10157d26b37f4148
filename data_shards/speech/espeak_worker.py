"""eSpeak NG behind a pipe: `python espeak_worker.py` (the standard library alone).

The library is GPL and keeps global state, hence a process of its own that shares no code with
the rest. A message is a 4-byte big-endian length and that many bytes. The worker greets with
`{"version", "rate"}` (JSON); to each request `{"text", "voice"}` it answers with a JSON message
`{}` or `{"error"}` and, if there was no error, a message of 16-bit little-endian mono samples.
It ends when its standard input does.
"""

import ctypes
import json
import os
import struct
import sys
from typing import IO, Any

_SYNCHRONOUS = 2  # hand the samples to the callback, play nothing
_DONT_EXIT = 0x8000  # report a missing voice folder instead of ending the process
_UTF8 = 1
_SEED = 1

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one length-prefixed message."""
    stream.write(struct.pack(">I", len(message)) + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one length-prefixed message; None if the other side is gone."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    message = stream.read(length)
    return message if len(message) == length else None


class Speaker:
    """The loaded library, ready to speak; `rate` is its sampling rate in Hz."""

    def __init__(self, library: str, *, data: str) -> None:
        self._library = ctypes.CDLL(library)
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        if self.rate <= 0:
            raise OSError(f"eSpeak NG could not read its voices in {data}.")
        self._library.espeak_Info.restype = ctypes.c_char_p
        self.version: str = self._library.espeak_Info(None).decode().split()[0]
        self._samples = bytearray()
        self._callback = _Callback(self._collect)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, _events: int) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, 2 * count)
        return 0

    def say(self, text: str, *, voice: str) -> bytes:
        """16-bit samples of one caption.

        Raises:
            ValueError: the library does not know the voice, or refuses the text.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"eSpeak NG has no voice {voice!r}.")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))  # breath noise; else the clock's
        self._samples.clear()
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        status = self._library.espeak_Synth(encoded, size, 0, 0, 0, _UTF8, None, None)
        if status != 0:
            raise ValueError(f"eSpeak NG refused {text!r} (status {status}).")
        return bytes(self._samples)


def _answer(request: bytes, *, replies: IO[bytes], speaker: Speaker) -> None:
    try:
        samples = speaker.say(**json.loads(request))
    except ValueError as error:
        send(replies, json.dumps({"error": str(error)}).encode())
        return
    send(replies, b"{}")
    send(replies, samples)


def serve(requests: IO[bytes], *, replies: IO[bytes], speaker: Speaker) -> None:
    """Answer requests until they end, each in a fork of this process.

    What was spoken before changes the samples of what is spoken next (pitch flutter and noise go
    on where they were, even after the library is initialised anew). This process therefore never
    speaks: each child starts from the same untouched state.
    """
    send(replies, json.dumps({"version": speaker.version, "rate": speaker.rate}).encode())
    while (request := receive(requests)) is not None:
        child = os.fork()
        if child == 0:
            _answer(request, replies=replies, speaker=speaker)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            send(replies, json.dumps({"error": f"eSpeak NG crashed on {request!r}."}).encode())


def main() -> None:
    """Load the library from the wheel and serve standard input."""
    import espeakng_loader

    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the library prints must not mix with the replies
    library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    serve(sys.stdin.buffer, replies=replies, speaker=Speaker(library, data=data))


if __name__ == "__main__":
    main()
