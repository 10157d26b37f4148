"""A way to an S3 server on which every so many requests fail, each in another way."""

import http.client
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REFUSED, BUSY, CUT, UNHEARD = "500", "503", "cut", "unheard"
"""What happens to a request; an unheard one is served, and its answer is lost."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Flaky"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.headers)
        if fault in (REFUSED, BUSY):
            self._answer(int(fault), [], b"")
        elif fault == CUT:
            self._hang_up()
        else:
            status, headers, content = self._forward(body)
            if fault == UNHEARD:
                self._hang_up()
            else:
                self._answer(status, headers, content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        far = http.client.HTTPConnection("127.0.0.1", self.server.to, timeout=60)
        kept = {name: value for name, value in self.headers.items() if name != "Expect"}
        far.request(self.command, self.path, body, kept)
        answer = far.getresponse()
        content = answer.read()
        far.close()
        return answer.status, answer.getheaders(), content

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            of_body = self.command == "HEAD" and name.lower() == "content-length"
            if name.lower() not in ("content-length", "connection", "date", "server") or of_body:
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Flaky(ThreadingHTTPServer):
    """Every `every`th request fails, and the answer to the first exclusive creation is lost."""

    daemon_threads = True

    def __init__(self, to: int, *, every: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.to, self.every = to, every
        self.failed = dict.fromkeys((REFUSED, BUSY, CUT, UNHEARD), 0)
        self.creations = 0
        self._numbers = itertools.count(1)
        self._kinds = itertools.cycle(self.failed)

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def fault(self, headers: "http.client.HTTPMessage") -> str:
        """What happens to the next request; "" for nothing."""
        creation = headers.get("If-None-Match") == "*"
        self.creations += creation
        if creation and self.creations == 1:
            kind = UNHEARD
        elif next(self._numbers) % self.every == 0:
            kind = next(self._kinds)
        else:
            return ""
        self.failed[kind] += 1
        return kind


@contextmanager
def flaky(to: int, *, every: int) -> Iterator[Flaky]:
    """In front of the server on port `to`."""
    server = Flaky(to, every=every)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
