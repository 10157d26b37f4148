"""An MLflow server behind a proxy that fails as asked; and what MLflow holds beside the storage."""

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlflow import MlflowClient

from orchestrator import curves
from orchestrator.storage import Storage
from tests.empty_mlflow import empty_mlflow
from tests.orchestrator.test_tracking_server import Server

PASS, FAIL, LOSE, HANG, SLOW = "pass", "500", "500 when it is done", "hang", "slow"
SLOW_SECONDS = 2.0
READS = ("search", "get", "get-by-name", "list", "get-history", "server-info")


class Proxy:
    """A real HTTP proxy before a server; `mode` may change at any time."""

    def __init__(self, target):
        self.target, self.mode, self.seen = target, PASS, Counter()
        self.release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def written(self):
        """Requests so far that change something, by method and path."""
        return Counter({each: n for each, n in self.seen.items() if not _reads(*each.split())})

    def stop(self):
        """Let go of all who hang."""
        self.release.set()
        self._server.shutdown()
        self._server.server_close()


def _reads(method, path):
    return method == "GET" or path.rsplit("/", 1)[-1] in READS


def _handler(proxy):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            proxy.seen[f"{self.command} {self.path.split('?')[0]}"] += 1
            mode = proxy.mode
            if mode == HANG:
                proxy.release.wait()
                return
            if mode == SLOW:
                time.sleep(SLOW_SECONDS)
            status, answer = (500, b"{}") if mode == FAIL else self._ask(body)
            lost = mode == LOSE and not _reads(self.command, self.path.split("?")[0])
            self._answer(500 if lost else status, answer)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def _ask(self, body):
            host = proxy.target.removeprefix("http://")
            try:
                asked = http.client.HTTPConnection(host, timeout=60)
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                asked.request(self.command, self.path, body, headers)
                answer = asked.getresponse()
                return answer.status, answer.read()
            except OSError:
                return 502, b"{}"

        def _answer(self, status, body):
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # who asked has left

        def log_message(self, *_):
            pass

    return Handler


@contextmanager
def behind_proxy(folder):
    """A server on an empty database, and a proxy before it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.db").write_bytes(empty_mlflow())
    server = Server(folder)
    server.start()
    proxy = Proxy(server.uri)
    try:
        yield server, proxy
    finally:
        proxy.stop()
        if server.process:
            server.kill()


@contextmanager
def locked(database):
    """Another process holds the SQLite file for itself."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30);"
        "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.communicate()


def absent():
    """A URI where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def runs(uri):
    """All runs of a server that are not deleted."""
    client = MlflowClient(tracking_uri=uri)
    return client.search_runs([each.experiment_id for each in client.search_experiments()])


def assert_whole(uri, storage, *, states=("FINISHED",)):
    """MLflow holds all that the storage has, every metric once, in its right run.

    A trial may stand in one run only: the storage has one plan.
    """
    store, client, found = Storage(str(storage)), MlflowClient(tracking_uri=uri), {}
    for run in runs(uri):
        assert run.info.status in states, (run.info.run_name, run.info.status)
        trial_id = run.data.tags.get("vfsel.trial_id", "")
        assert trial_id not in found, f"two runs of {trial_id or 'the plan'}"
        found[trial_id] = run
    parent = found.pop("")
    assert set(found) == store.report_ids()
    for trial_id, run in found.items():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        reports = store.reports(trial_id)
        for key in curves.flat(reports[0]):
            points = client.get_metric_history(run.info.run_id, key)
            kept = [(report["epoch"], curves.flat(report)[key]) for report in reports]
            assert sorted((point.step, point.value) for point in points) == kept, key
        for key in set(run.data.metrics) - set(curves.flat(reports[0])):
            assert len(client.get_metric_history(run.info.run_id, key)) == 1, key
        record = store.record(trial_id)
        if record:
            test = {f"test_{key}": value for key, value in record["test"].items()}
            assert test.items() <= run.data.metrics.items()
            names = {item.path for item in client.list_artifacts(run.info.run_id)}
            assert {"config.json", "curves.csv", "curves.png"} <= names
