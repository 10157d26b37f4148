"""Files on a path and on S3: one contract."""

import subprocess
import sys

import pytest

from data_shards import files
from data_shards.errors import UsageError


@pytest.fixture(params=["path", "s3"])
def url(request, tmp_path):
    return str(tmp_path) if request.param == "path" else request.getfixturevalue("bucket")


def test_what_is_written_is_read_listed_and_removed(url):
    target = files.join(url, "a", "x.json")
    assert files.read_bytes(target) is None
    assert files.names(files.join(url, "a")) == []
    files.write_atomic(target, b"one")
    files.write_atomic(files.join(url, "a", ".half"), b"")
    assert files.read_bytes(target) == b"one"
    assert files.names(files.join(url, "a")) == ["x.json"]
    files.write_atomic(target, b"another")
    assert files.read_bytes(target) == b"another"
    files.remove(target)
    files.remove(target)  # nothing is there: nothing happens
    assert files.read_bytes(target) is None
    assert files.names(files.join(url, "a")) == []


def test_a_file_is_created_once(url):
    target = files.join(url, "x")
    files.write_atomic(files.join(url, "other"), b"")  # the folder is there
    assert files.create(target, b"mine")
    assert not files.create(target, b"theirs")
    assert files.read_bytes(target) == b"mine"


def test_the_end_of_a_file_is_read(url):
    for name, content in {"long": bytes(90) + b"end", "short": b"nd", "empty": b""}.items():
        files.write_atomic(files.join(url, name), content)
        assert files.tail(files.join(url, name), 3) == content[-3:]
    assert files.tail(files.join(url, "nothing"), 3) is None


def test_a_file_is_moved_over_what_is_at_its_target(url):
    source, target = files.join(url, "x"), files.join(url, "aside", "a", "x")
    for content in (b"first", b"second"):
        files.write_atomic(source, content)
        files.move(source, target)
        assert files.read_bytes(source) is None
        assert files.read_bytes(target) == content
    with pytest.raises(FileNotFoundError):
        files.move(source, target)


def test_a_folder_is_removed_with_all_that_is_in_it_and_nothing_else(url):
    for name in ("a/x", "a/b/y", "ab/z"):
        files.write_atomic(files.join(url, name), b"")
    files.remove_folder(files.join(url, "a"))
    files.remove_folder(files.join(url, "a"))  # nothing is there: nothing happens
    assert files.names(url) == ["ab"]
    assert files.names(files.join(url, "ab")) == ["z"]


def test_a_folder_is_no_file(url):
    files.write_atomic(files.join(url, "a", "x"), b"one")
    assert files.read_bytes(files.join(url, "a", "x", "y")) is None
    assert files.names(files.join(url, "a", "x", "y")) == []
    assert files.names(url) == ["a"]


@pytest.mark.slow
def test_many_names_come_in_pages(s3, bucket):
    name = bucket.removeprefix("s3://")
    for number in range(1005):  # a page of S3 has 1000
        s3.client.put_object(Bucket=name, Key=f"records/{number:05}.json", Body=b"")
    assert len(files.names(f"{bucket}/records")) == 1005


_OTHER = """
import sys
from data_shards import files
for target in sys.argv[1:]:
    files.write_atomic(target, b"theirs")
"""


def test_what_another_process_writes_is_seen_at_once(url):
    """Clients of object stores remember listings and sizes."""
    mine, theirs = files.join(url, "a", "mine"), files.join(url, "a", "theirs")
    files.write_atomic(mine, b"mine")
    assert files.names(files.join(url, "a")) == ["mine"]
    assert files.read_bytes(mine) == b"mine"
    subprocess.run([sys.executable, "-c", _OTHER, theirs, mine], check=True)
    assert files.names(files.join(url, "a")) == ["mine", "theirs"]
    assert files.read_bytes(mine) == b"theirs"


@pytest.mark.slow
def test_a_large_file_goes_up_in_parts_and_comes_down_whole(s3, bucket, tmp_path):
    content = bytes(range(256)) * (450 * 1024)  # 115 MB: S3 takes it in parts of 50
    (tmp_path / "up").write_bytes(content)
    files.upload(tmp_path / "up", f"{bucket}/up")
    files.write_atomic(f"{bucket}/written", content)
    assert s3.keys(bucket) == ["up", "written"]
    files.download(f"{bucket}/written", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == content
    assert files.read_bytes(f"{bucket}/up") == content
    with pytest.raises(FileNotFoundError):
        files.download(f"{bucket}/nothing", tmp_path / "nothing")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("runs/a@b", "runs/a@b"),
        ("http://me:pw@host/x?sig=secret", "http://host/x"),
        ("s3://key:se/cret@bucket/x", "s3://bucket/x"),
    ],
)
def test_a_location_is_shown_without_secrets(url, shown):
    assert files.shown(url) == shown


@pytest.mark.parametrize("url", ["ftp://me:pw@host/x", "pipe:cat;://pw@y"])
def test_an_unknown_scheme_is_refused_without_its_secrets(url):
    with pytest.raises(UsageError, match="must be a path or one of") as caught:
        files.read_bytes(url)
    assert "pw" not in str(caught.value)
