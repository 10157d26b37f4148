"""The page in a real Chromium: quiet, alone, sorted, filtered, on a phone and in the dark."""

import pytest

from orchestrator.report import write
from orchestrator.report.sound import Sound
from tests.orchestrator.report.recorded import asked, record_all


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a report on γ with cells in an order that no column has."""
    folder = tmp_path_factory.mktemp("report")
    storage, question = Sound(str(folder / "runs")), asked("gamma")
    labels = [trial.cell for trial in question.plan(storage).trials]
    scores = dict(zip(labels, ([50.0], [9.0], [70.0], [60.0], [8.0]), strict=False))
    record_all(storage, question, scores)
    written = write([question], storage, folder / "out")
    return next(path for path in written if path.suffix == ".html").as_uri()


@pytest.fixture
def opened(page, address):
    """The report, whose console and requests are watched; both must stay quiet."""
    said, asked_for = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(address)
    yield page
    assert said == []
    assert [url for url in asked_for if not url.startswith("data:")] == [address]


def _table(page, caption):
    return page.locator("table").filter(has=page.locator("caption", has_text=caption))


def _labels(table):
    return table.locator("tbody:not([hidden]) th.label").all_inner_texts()


def _column(table, place):
    cells = table.locator(f"tbody tr:first-child td:nth-of-type({place})")
    return [text.replace("−", "-") for text in cells.all_inner_texts()]


def test_a_table_is_sorted_by_keyboard_and_says_so(opened):
    table = _table(opened, "Cost of the recorded trials")
    head = table.get_by_role("columnheader", name="trials")
    head.get_by_role("button").focus()
    opened.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert _column(table, 1) == sorted(_column(table, 1), key=int)
    opened.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert _column(table, 1)[0] == max(_column(table, 1), key=int)
    assert table.locator("th[aria-sort]").count() == 1


def test_numbers_are_sorted_as_numbers_and_what_is_missing_stays_below(opened):
    table = _table(opened, "Test split, one seed")
    button = table.get_by_role("columnheader", name="R@1").first.get_by_role("button")
    for order in (False, True):
        button.click()
        values = _column(table, 2)
        known = [float(value) for value in values if value != "missing"]
        assert known == sorted(known, reverse=order)
        assert len(set(known)) == 5
        assert values[len(known) :] == ["missing"] * (len(values) - len(known))


def test_rows_of_a_cell_stay_together_and_are_sorted_by_name(opened):
    table = _table(opened, "Test split, one seed")
    before = _labels(table)
    table.get_by_role("columnheader", name="cell").get_by_role("button").click()
    after = _labels(table)
    assert sorted(after, key=lambda label: float(label.split("=")[1])) == after
    assert sorted(before) == sorted(after)
    kinds = table.locator("tbody").first.locator("th.kind").all_inner_texts()
    assert kinds[0] == "here"


def test_rows_are_filtered_and_counted(opened):
    box = opened.get_by_label("Filter rows").first
    table = opened.locator("table.sortable").first
    every = _labels(table)
    box.fill("GAMMA=1")
    left = _labels(table)
    assert 0 < len(left) < len(every)
    assert all("gamma=1" in label for label in left)
    assert opened.get_by_role("status").first.inner_text() == f"{len(left)} of {len(every)}"
    box.fill("")
    assert _labels(table) == every


def _ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_dark_follows_the_system_until_the_reader_chooses(opened):
    opened.emulate_media(color_scheme="light")
    assert _ground(opened) == "rgb(255, 255, 255)"
    opened.emulate_media(color_scheme="dark")
    assert _ground(opened) == "rgb(20, 23, 26)"
    opened.get_by_role("button", name="Light theme").click()
    assert _ground(opened) == "rgb(255, 255, 255)"
    assert opened.get_by_role("button", name="Dark theme").is_visible()


def test_a_phone_scrolls_tables_and_not_the_page(opened):
    opened.set_viewport_size({"width": 360, "height": 740})
    assert opened.evaluate("document.documentElement.scrollWidth") == 360


def test_on_paper_there_is_nothing_to_press_and_the_ground_is_white(opened):
    opened.emulate_media(media="print", color_scheme="dark")
    assert _ground(opened) == "rgb(255, 255, 255)"
    assert not opened.locator(".theme").is_visible()
    assert not opened.locator(".filter").first.is_visible()
    assert opened.pdf(format="A4").startswith(b"%PDF")


def test_without_script_all_is_there_and_nothing_is_promised(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("table.sortable").count() >= 3
    assert page.locator("button, input").count() == 0
    context.close()


def test_every_picture_is_drawn_and_has_words(opened):
    drawn = opened.evaluate("[...document.images].map((i) => [i.naturalWidth, i.alt.length])")
    assert drawn
    assert all(width > 100 and words > 20 for width, words in drawn)
