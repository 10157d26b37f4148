"""A real headless Chromium for tests of pages.

Fixtures, known to every test: `browser`, and `page`, an empty one that remembers nothing. Both skip
the test where Playwright or a browser is missing.
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
"""It runs as root in a container, and asks for nothing but what a test opens."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Started once a module: Playwright leaves an event loop running in the main thread, which
    tests of other modules may need for themselves."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs chromium or google-chrome")
    pytest.importorskip("playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of a window that is 1280 × 900; long limits, since tests share the machine."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()
