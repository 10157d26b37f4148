import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import soundfile
from PIL import Image

from data_shards import manifest
from data_shards.datasets.oxford102 import read
from data_shards.errors import DataError, UsageError
from data_shards.pack import pack
from data_shards.verify import verify
from tests.data_shards.flowers import oxford_folder, write_captions
from tests.small_disk import enlarge, small_disk

REAL = os.environ.get("VFSEL_OXFORD102")


def run(root, out, **changes):
    options = {"captions": 2, "voices": 3, "workers": 1, "samples_per_shard": 8, "show": False}
    return pack(read(root), out, **(options | changes))


def content(out):
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.tar"))}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("official") / "flowers"
    return oxford_folder(folder, classes=30, images=1, captions=3)


@pytest.fixture(scope="module")
def packed(root, tmp_path_factory):
    """Ten training classes (of which 5 are held out), 20 test classes, one image each."""
    out = tmp_path_factory.mktemp("packed") / "new" / "folder"
    return out, run(root, out, workers=2)


def test_manifest_says_what_was_packed(packed):
    out, made = packed
    assert manifest.load(out).manifest == made
    sizes = {name: (len(s.classes), s.samples, s.captions) for name, s in made.splits.items()}
    assert sizes == {"train": (5, 5, 10), "val": (5, 5, 10), "test": (20, 20, 40)}
    assert [shard.samples for shard in made.splits["test"].shards] == [8, 8, 4]
    assert made.speech["engine"] == "espeak"
    assert len(made.speech["voices"]) == 3
    assert str(out) not in made.to_json()


def test_members_of_a_sample(packed):
    out, _ = packed
    with tarfile.open(out / "test-00000.tar") as tar:
        names = tar.getnames()
        key = names[0].split(".")[0]
        suffixes = ("jpg", "0.flac", "1.flac", "json")
        assert names[:4] == [f"{key}.{suffix}" for suffix in suffixes]
        members = [tar.extractfile(name).read() for name in names[:4]]
        assert {(m.mtime, m.uid, m.gid, m.mode) for m in tar} == {(0, 0, 0, 0o644)}
    assert Image.open(io.BytesIO(members[0])).size == (64, 48)
    sound = soundfile.info(io.BytesIO(members[1]))
    assert (sound.format, sound.samplerate, sound.channels) == ("FLAC", 16_000, 1)
    text = json.loads(members[3])
    assert text["image_id"] == key
    assert len({caption["voice"] for caption in text["captions"]}) == 2


def test_another_folder_and_one_worker_give_the_same_bytes(packed, root, tmp_path):
    out, made = packed
    again = run(root, tmp_path / "again")
    assert again.hash == made.hash
    assert content(tmp_path / "again") == content(out)


def test_a_second_run_writes_nothing(packed, root):
    out, made = packed
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.*")}
    assert run(root, out) == made
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.*")} == before


def test_a_damaged_shard_is_written_anew(packed, root, tmp_path):
    out, made = tmp_path / "out", packed[1]
    run(root, out)
    (out / "val-00000.tar").write_bytes(b"cut")
    (out / "test-00001.tar").unlink()
    assert run(root, out) == made
    assert verify(manifest.load(out)) == []


def test_other_options_leave_no_stale_shard(packed, root, tmp_path):
    out = tmp_path / "out"
    run(root, out)
    (out / ".test-00000.tar.half").write_bytes(b"half-written by a killed run")
    with pytest.raises(UsageError, match=r"holds [0-9a-f]{16} .* --overwrite"):
        run(root, out, samples_per_shard=20, captions=None, seed=1)
    made = run(root, out, samples_per_shard=20, captions=None, seed=1, overwrite=True)
    assert set(content(out)) == {"train-00000.tar", "val-00000.tar", "test-00000.tar"}
    assert not list(out.glob(".*.tar.*"))
    assert made.splits["test"].captions == 60
    assert made.hash != packed[1].hash
    assert verify(manifest.load(out)) == []


def test_shards_mix_classes(packed):
    samples = json.loads(packed[0].joinpath("manifest.json").read_text())
    assert samples["splits"]["test"]["classes"][0]["id"] == 1
    with tarfile.open(packed[0] / "test-00000.tar") as tar:
        first = [json.load(tar.extractfile(m))["class_id"] for m in tar if "json" in m.name]
    assert first != sorted(first)
    assert max(first) > 8


def test_an_error_keeps_what_is_finished_and_names_the_image(root, tmp_path):
    bad = oxford_folder(tmp_path / "bad", classes=21, images=1)
    photograph = bad / "jpg" / "image_00004.jpg"
    whole = photograph.read_bytes()
    photograph.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    with pytest.raises(DataError, match="image_00004 must decode wholly"):
        run(bad, out, samples_per_shard=1)
    assert not (out / "manifest.json").exists()
    photograph.write_bytes(whole)
    made = run(bad, out, samples_per_shard=1)
    assert (made.splits["train"].samples, made.splits["test"].samples) == (1, 20)


def test_a_caption_without_words(tmp_path):
    bad = oxford_folder(tmp_path / "bad", classes=21, images=1)
    write_captions(bad, 21, label=21, lines=["..."])
    with pytest.raises(DataError, match=r"image image_00021 has '\.\.\.'"):
        run(bad, tmp_path / "out")


def test_folder_that_cannot_be(root, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none")):
        with pytest.raises(UsageError, match="out must be a folder"):
            run(root, out)


@pytest.mark.parametrize("name", ["captions", "voices", "workers", "samples_per_shard"])
def test_values_out_of_range(root, tmp_path, name):
    with pytest.raises(UsageError, match=f"{name} must be"):
        run(root, tmp_path, **{name: 0})


KILLED = """
import sys
from pathlib import Path
from data_shards.datasets.oxford102 import read
from data_shards.pack import pack
if __name__ == "__main__":
    root, out = map(Path, sys.argv[1:])
    pack(read(root), out, captions=2, voices=3, workers=2, samples_per_shard=1)
"""


def test_killed_and_started_again_it_goes_on(root, tmp_path):
    script, out = tmp_path / "killed_pack.py", tmp_path / "out"
    script.write_text(KILLED)
    process = subprocess.Popen(
        [sys.executable, str(script), str(root), str(out)],
        cwd=Path.cwd(),
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while len(content(out)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1)  # its workers notice
    finished = {path: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    assert 3 <= len(finished) < 30
    assert not (out / "manifest.json").exists()
    time.sleep(1)
    assert set(out.glob("*.tar")) == set(finished), "workers outlived the command"

    made = run(root, out, samples_per_shard=1)
    kept = [path for path, at in finished.items() if path.stat().st_mtime_ns == at]
    assert len(kept) >= len(finished) - 2  # at most a shard a worker was noted and not yet written
    assert made.hash == run(root, tmp_path / "never killed", samples_per_shard=1).hash
    assert content(out) == content(tmp_path / "never killed")


def test_two_commands_cannot_pack_one_folder(root, tmp_path):
    from filelock import FileLock

    (tmp_path / ".packed").mkdir()
    with FileLock(tmp_path / ".packed" / "lock"), pytest.raises(UsageError, match="at a time"):
        run(root, tmp_path)


@pytest.mark.skipif(REAL is None, reason="VFSEL_OXFORD102 is not set")
def test_a_slice_of_the_real_data(tmp_path):
    source = read(Path(REAL or ""), classes=(18, 31), images_per_class=2)
    made = pack(source, tmp_path, captions=3, voices=4, workers=2, samples_per_shard=8, show=False)
    assert made.splits["test"].samples == 6
    assert made.splits["train"].samples + made.splits["val"].samples == 22
    assert verify(manifest.load(tmp_path), workers=2) == []


def test_on_a_full_disk_what_is_finished_stays_and_the_same_call_goes_on(packed, root, tmp_path):
    """Room for some shards only; then somebody deletes files."""
    whole, made = packed
    size = sum(path.stat().st_size for path in whole.glob("*.tar"))
    with small_disk(tmp_path / "disk", kilobytes=size // 1024 // 2) as disk:
        with pytest.raises(DataError, match="must have room to write, but .*is full") as caught:
            run(root, disk / "out")
        assert "\n" not in str(caught.value)
        assert "run the same command again" in str(caught.value)
        assert not (disk / "out" / manifest.NAME).exists()
        kept = content(disk / "out")
        assert 0 < len(kept) < len(content(whole))
        assert all(content(whole)[name] == found for name, found in kept.items())
        enlarge(disk, kilobytes=2 * size // 1024)
        assert run(root, disk / "out").hash == made.hash
        assert content(disk / "out") == content(whole)


@pytest.mark.parametrize(
    "command", ["pack oxford102 --captions 2", pytest.param("synth", marks=pytest.mark.slow)]
)
def test_a_full_disk_is_one_line_and_exit_code_1(root, tmp_path, command):
    with small_disk(tmp_path / "disk", kilobytes=100) as disk:
        place = ["--root", str(root)] if "pack" in command else []
        line = [sys.executable, "-m", "orchestrator", "data", *command.split(), *place]
        done = subprocess.run([*line, "--out", disk / "out"], capture_output=True, text=True)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if not line.startswith("pack: ")]
    assert len(errors) == 1
    assert errors[0].startswith("error: out must have room to write")


def test_its_processes_start_without_torch():
    """It would cost each of them 2 s and 200 MB."""
    modules = "data_shards.pack, data_shards.shard_writer, data_shards.takes, data_shards.verify"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
