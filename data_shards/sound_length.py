"""How long a spoken caption may be; without torch, so that packing's processes start at once."""

import soundfile

LONGEST = 300  # seconds of a caption; its header alone decides how much memory decoding takes


def check_length(sound: soundfile.SoundFile) -> None:
    """Refuse what claims to be longer than a caption, before it is decoded.

    Raises:
        ValueError: it does.
    """
    if sound.frames > LONGEST * sound.samplerate:
        seconds = sound.frames / sound.samplerate
        raise ValueError(f"speech must be at most {LONGEST} s long, but is {seconds:.0f} s")
