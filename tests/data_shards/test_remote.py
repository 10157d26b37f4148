"""What a network and a store do wrong: waited for, or said in one line."""

import http.server
import socket
import subprocess
import sys
import threading
import time

import pytest

from data_shards import files, remote
from data_shards.errors import DataError, UsageError
from tests.s3 import KEY, SECRET, at_once, free_port, leading_to

OPERATIONS = {
    "read": files.read_bytes,
    "list": files.names,
    "write": lambda url: files.write_atomic(url, b"x"),
    "remove": files.remove,
}


@pytest.fixture(params=OPERATIONS)
def operation(request):
    return OPERATIONS[request.param]


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(remote, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(remote, "LONGEST_WAIT", 0.3)


def said_at_once(kind, operation, url):
    """The error's one line."""
    with at_once(), pytest.raises(kind) as caught:
        operation(url)
    text = str(caught.value)
    assert "\n" not in text
    assert KEY not in text
    assert SECRET not in text
    return text


def test_missing_credentials(s3, bucket, operation):
    with leading_to(s3.endpoint, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None):
        text = said_at_once(DataError, operation, f"{bucket}/x")
    assert f"credentials must be set to reach {bucket}/x" in text
    assert "set AWS_ACCESS_KEY_ID" in text


def test_half_of_the_credentials(s3, bucket):
    with leading_to(s3.endpoint, AWS_SECRET_ACCESS_KEY=None):
        text = said_at_once(DataError, files.read_bytes, f"{bucket}/x")
    assert "PartialCredentialsError" in text


def test_a_profile_that_is_not_there(s3, bucket):
    with leading_to(s3.endpoint, AWS_PROFILE="nobody"):
        text = said_at_once(DataError, files.read_bytes, f"{bucket}/x")
    assert "ProfileNotFound" in text


def test_denied_access(s3, bucket, operation):
    with s3.refusing():
        text = said_at_once(DataError, operation, f"{bucket}/x")
    assert f"access to {bucket}/x must be allowed" in text


def test_a_missing_bucket(s3, operation):
    text = said_at_once(UsageError, operation, "s3://no-such-bucket/a/x")
    assert text == (
        "the bucket of s3://no-such-bucket/a/x must exist, but does not: make it or name another."
    )


def test_credentials_in_the_location(s3, operation):
    text = said_at_once(UsageError, operation, f"s3://{KEY}:{SECRET}@bucket/x")
    assert "s3://bucket/x must hold no credentials" in text


@pytest.mark.parametrize("url", ["s3:///x", "s3://not a bucket/x"])
def test_no_bucket_name(s3, url):
    assert "must name a bucket" in said_at_once(UsageError, files.read_bytes, url)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "nowhere"])
def test_a_malformed_endpoint(endpoint):
    with leading_to(endpoint):
        text = said_at_once(UsageError, files.read_bytes, "s3://b/x")
    assert "AWS_ENDPOINT_URL must be http(s)://HOST:PORT" in text


def test_an_endpoint_that_speaks_no_tls(s3):
    with leading_to(s3.endpoint.replace("http:", "https:")):
        assert "SSLError" in said_at_once(DataError, files.read_bytes, "s3://b/x")


@pytest.mark.parametrize("name", ["read", "write"])
def test_nothing_at_the_endpoint_is_waited_for_then_said(name, monkeypatch, capsys):
    monkeypatch.setattr(remote, "RETRY_SECONDS", 3.0)
    start = time.monotonic()
    with leading_to(f"http://127.0.0.1:{free_port()}"), pytest.raises(DataError) as caught:
        OPERATIONS[name]("s3://b/x")
    assert 2 < time.monotonic() - start < 10
    assert "s3://b/x must be reachable, but was not for 3 s" in str(caught.value)
    assert "AWS_ENDPOINT_URL" in str(caught.value)
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1
    assert "s3://b/x does not answer (EndpointConnectionError); trying for 3 s" in warnings[0]


def test_an_endpoint_that_comes_back_is_waited_for(bucket, forwarder, operation):
    files.write_atomic(f"{bucket}/x", b"x")
    forwarder.stop()
    threading.Timer(0.8, forwarder.start).start()
    start = time.monotonic()
    operation(f"{bucket}/x")
    assert time.monotonic() - start > 0.7


def test_an_answer_cut_in_the_middle_is_asked_for_again(s3, bucket, forwarder):
    content = bytes(3_000_000)
    files.write_atomic(f"{bucket}/x", content)
    forwarder.cut_after(1_000_000)
    threading.Timer(0.8, forwarder.start).start()
    assert files.read_bytes(f"{bucket}/x") == content
    assert s3.requests("GET", "/x") >= 2


class _Busy(http.server.BaseHTTPRequestHandler):
    """Answers with an error so many times, then with content."""

    def do_GET(self):
        answer = self.server.answers.pop(0) if self.server.answers else None
        body = b"content"
        if answer:
            body = f"<Error><Code>{answer[1]}</Code><Message>m</Message></Error>".encode()
        self.send_response(answer[0] if answer else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def busy():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Busy)
    server.answers = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with leading_to(f"http://127.0.0.1:{server.server_port}"):
        yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "answer", [(503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout")]
)
def test_a_busy_server_is_asked_again(busy, answer):
    busy.answers += [answer] * 3
    assert files.read_bytes("s3://b/x") == b"content"
    assert busy.answers == []


@pytest.mark.parametrize("answer", [(400, "InvalidRequest"), (501, "NotImplemented")])
def test_what_asking_again_does_not_mend_is_said_at_once(busy, answer):
    busy.answers += [answer] * 3
    text = said_at_once(DataError, files.read_bytes, "s3://b/x")
    assert answer[1] in text
    assert len(busy.answers) == 2


@pytest.mark.slow
def test_an_endpoint_that_accepts_and_never_answers(monkeypatch):
    monkeypatch.setattr(remote, "RETRY_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        port = silent.getsockname()[1]
        with leading_to(f"http://127.0.0.1:{port}"), pytest.raises(DataError, match="reachable"):
            files.read_bytes("s3://b/x")
        assert time.monotonic() - start < 45  # two times 15 s, not half an hour


def test_pages_of_a_web_server_are_read(tmp_path):
    (tmp_path / "x").write_bytes(b"content")
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        [*command[:1], "-u", *command[1:]], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        port = server.stdout.readline().split("port ")[1].split()[0]
        assert files.read_bytes(f"http://127.0.0.1:{port}/x") == b"content"
        assert files.read_bytes(f"http://127.0.0.1:{port}/y") is None
        server.kill()


_WITHOUT = """
import sys
sys.modules["s3fs"] = None  # as if it were not installed
from data_shards import files
files.read_bytes("s3://bucket/x")
"""


def test_a_package_that_is_not_installed_is_named():
    done = subprocess.run([sys.executable, "-c", _WITHOUT], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert "UsageError: s3:// needs a package that is not installed" in last
    assert "pip install 'vfsel-orchestrator[cluster]'" in last
