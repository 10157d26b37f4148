"""The screenshots of `docs/mlflow.md`: a real `mlflow server`, filled by `sync`, in Chromium.

    python docs/mlflow_screenshots.py STORAGE

STORAGE holds the sweeps `gamma` and `attention_placement`. Needs `playwright` and `chromium`.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
]  # fmt: skip
PATIENCE = 60.0  # seconds that a page may take


class Pages:
    """MLflow's pages, clicked as `docs/mlflow.md` says."""

    def __init__(self, browser: Any, uri: str) -> None:
        page = browser.new_page(viewport={"width": 1280, "height": 720})  # remembers nothing
        self.page, self.uri = page, uri
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(f"{uri}/#/experiments")
        page.get_by_text("Model training", exact=True).click()
        page.locator("[data-component-id='mlflow.assistant.chat_panel.close']").click()

    def experiment(self, sweep: str) -> None:
        """Click on a sweep's experiment."""
        self.page.goto("about:blank")  # else a link of the page before may be clicked
        self.page.goto(f"{self.uri}/#/experiments")
        row = self.page.get_by_role("row").filter(has_text=f"vfsel/{sweep}")
        row.get_by_role("link").first.click()
        self.page.get_by_text("matching runs").wait_for()
        self.page.locator(".ag-row").first.wait_for()

    def expand(self, run: str) -> None:
        """Click on the plus before a parent run."""
        cell = self.page.get_by_role("gridcell").filter(has=self._link(run))
        cell.get_by_role("button").first.click()

    def sort(self, metric: str) -> None:
        """Sort the runs by a metric, the highest first."""
        self.page.get_by_test_id("sort-select-dropdown").click()
        self.page.get_by_placeholder("Search").last.fill(metric)
        self.page.get_by_text(metric, exact=True).last.click()
        self.page.get_by_text(f"Sort: {metric}").wait_for()

    def group(self, field: str) -> None:
        """Group the runs by a parameter."""
        self.page.get_by_role("button", name="Group by").click()
        self.page.get_by_text(field, exact=True).last.click()
        self.page.get_by_text(f"Group by: {field}").wait_for()

    def charts(self, pattern: str) -> None:
        """Click on the chart above the list of runs, and search for metrics."""
        self.page.locator("label", has=self.page.locator("input[value='CHART']")).click()
        self.page.get_by_placeholder("Search metric charts").fill(pattern)

    def compare(self, *runs: str) -> None:
        """Tick runs and click on `Compare`."""
        for run in runs:
            row = self.page.get_by_role("row").filter(has=self._link(run))
            row.get_by_role("checkbox").first.check()
        self.page.get_by_role("button", name="Compare", exact=True).click()
        self.page.get_by_text(f"Comparing {len(runs)} Runs").wait_for()

    def open(self, run: str) -> None:
        """Click on a run's name."""
        self._link(run).click()
        self.page.get_by_text("About this run").wait_for()

    def artifact(self, name: str) -> None:
        """Of the run that is open."""
        self.page.get_by_role("tab", name="Artifacts").click()
        self.page.get_by_text(name, exact=True).first.click()

    def runs(self) -> list[str]:
        """Names of the runs listed, from top to bottom."""
        rows = self.page.locator(".ag-row").filter(has=self.page.locator("a[href*='/runs/']"))
        found = {
            int(row.get_attribute("row-index")): row.get_by_role("link").first.inner_text()
            for row in rows.all()
        }
        return [found[index] for index in sorted(found)]

    def _link(self, run: str) -> Any:
        return self.page.get_by_role("link", name=run, exact=True)


@contextmanager
def chromium() -> Iterator[Any]:
    """A real browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=SETTINGS
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A real `mlflow server` on a store of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db",
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        command, env=os.environ | quiet, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield _ready(f"http://127.0.0.1:{port}")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ready(uri: str) -> str:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=2).close()  # noqa: S310 (ours)
            return uri
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def shoot(pages: Pages, dataset: str, out: Path) -> None:
    """One picture for each answer in `docs/mlflow.md`."""

    def keep(name: str) -> None:
        pages.page.wait_for_timeout(2000)  # menus close, charts grow
        pages.page.mouse.move(0, 0)
        pages.page.screenshot(path=out / f"{name}.png")

    pages.experiment("gamma")
    pages.open(f"gamma on {dataset}")
    pages.page.get_by_text("Show more").first.click()
    keep("answer")
    pages.experiment("gamma")
    pages.group("gamma")
    pages.charts("^test_.2._r1$")
    keep("charts")
    pages.experiment("attention_placement")
    pages.expand(f"attention_placement on {dataset}")
    pages.compare("image_attention=B3 seed=0", "image_attention=none seed=0")
    for part in range(2):  # parameters, metrics
        pages.page.get_by_text("Show diff only").nth(part).click()
    pages.page.get_by_text("Visualizations").click()
    keep("compare")
    pages = Pages(pages.page.context.browser, pages.uri)
    pages.experiment("gamma")
    pages.sort("test_s2i_r1")
    keep("sorted")


def main(storage: str) -> None:
    """Fill a server and take the pictures."""
    from orchestrator.storage import Storage
    from orchestrator.sync import Sync

    out = Path(__file__).with_name("mlflow")
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as uri:
        plans = [shipped.plan for shipped in Sync(Storage(storage), uri).run()]
        with chromium() as browser:
            shoot(Pages(browser, uri), plans[0].dataset, out)


if __name__ == "__main__":
    main(sys.argv[1])
