"""What a caption costs in each voice: `python benchmarks/voices.py`, for docs/voices.md.

All engines that are installed here speak the same captions in turns, on one thread, so that other
work on the machine meets them alike; of each caption the fastest of three, of these the median.
Tacotron 2 has the trained model's shape, but random weights, and speaks as long as espeak does:
what its arithmetic costs at least.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # packing runs a process a core

import math
import statistics
import time
import warnings

import torch
from torchaudio.models import Tacotron2, WaveRNN
from torchaudio.pipelines import TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH as GRIFFIN_LIM
from torchaudio.pipelines import TACOTRON2_WAVERNN_CHAR_LJSPEECH as WAVERNN

from data_shards import speech
from data_shards.errors import UsageError
from data_shards.speech import tacotron2

CAPTIONS = (
    "this flower has pink petals with a yellow center and long green stamen",
    "the petals of the flower are white and the pistil is yellow",
    "a large group of bright orange petals with a dark brown spot at the base of each one",
    "the flower is purple with petals that are soft, smooth and arranged in a bell shape",
    "this flower is white and blue in color, with petals that have veins",
    "red petals that curl back from long anthers",
    "the flower shown has layers of pointed yellow petals around a round disk of florets",
)
ROUNDS = 3
FRAME = 256  # samples, at 22,050 Hz


def untrained(seconds: float) -> tacotron2.Models:
    """The trained pipeline but for its weights; it speaks for so long."""
    shape = GRIFFIN_LIM._tacotron2_params | {"decoder_max_step": int(seconds * 22_050 / FRAME)}
    model = Tacotron2(**shape | {"gate_threshold": 1.0}).eval()
    return tacotron2.Models(GRIFFIN_LIM.get_text_processor(), model, GRIFFIN_LIM.get_vocoder())


def started() -> dict[str, speech.SpeechEngine]:
    """The engines that are here, warm."""
    engines: dict[str, speech.SpeechEngine] = {}
    for name in (name for name in speech.names() if name != "tacotron2"):
        try:
            engines[name] = speech.engine(name)
        except UsageError as error:
            print(f"{name}: left out: {error}")
    spoken = len(engines["espeak"].say(CAPTIONS[0], voice=engines["espeak"].voices(1)[0]))
    engines["tacotron2*"] = tacotron2.Engine(untrained(spoken / speech.RATE))
    for engine in engines.values():
        engine.say("warm", voice=engine.voices(1)[0])
    return engines


def wavernn_seconds() -> float:
    """What one second of WaveRNN's sound costs, from a tenth of one."""
    vocoder = WaveRNN(**WAVERNN._wavernn_params).eval()
    begun = time.perf_counter()
    with torch.no_grad():
        sound, _ = vocoder.infer(torch.rand(1, 80, 8), torch.tensor([8]))
    return (time.perf_counter() - begun) / (sound.shape[-1] / 22_050)


def main() -> None:
    """Speak, and print medians."""
    warnings.simplefilter("ignore")  # "reached max decoder steps": on purpose
    torch.set_num_threads(1)
    engines = started()
    costs = {name: [math.inf] * len(CAPTIONS) for name in engines}
    lengths = {name: [0.0] * len(CAPTIONS) for name in engines}
    for _ in range(ROUNDS):
        for index, caption in enumerate(CAPTIONS):
            for name, engine in engines.items():
                begun = time.perf_counter()
                samples = engine.say(caption, voice=engine.voices(1)[0])
                costs[name][index] = min(costs[name][index], time.perf_counter() - begun)
                lengths[name][index] = len(samples) / speech.RATE
    print("| engine | version | seconds a caption | seconds of speech |\n|---|---|---|---|")
    for name, engine in engines.items():
        cost, length = statistics.median(costs[name]), statistics.median(lengths[name])
        print(f"| {name} | {engine.version} | {cost:.3f} | {length:.1f} |")
    print(
        f"* random weights: a lower bound. WaveRNN: {wavernn_seconds():.0f} s a second of speech."
    )


if __name__ == "__main__":
    main()
