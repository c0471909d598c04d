"""The page in a browser with no network: that nothing overlaps, and how it works with pointer, keyboard and paper."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarks.report import readme, section

OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll(".drawing svg")) {
    const boxes = [...svg.querySelectorAll("text")].filter((each) => each.textContent.trim())
      .map((each) => [each.textContent.trim(), each.getBoundingClientRect()]);
    boxes.forEach(([one, a], place) => {
      for (const [other, b] of boxes.slice(place + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);  // a line is taller than its letters
        if (wide > 1 && high > 3) found.push(`${svg.closest("figure").id}: ${one} / ${other}`);
      }
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, or playwright's; where tests must not be skipped, it must be there."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
            launched = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        except Error as error:
            if "CI" in os.environ:
                raise
            pytest.skip(f"no browser: {str(error).splitlines()[0]}")
        yield launched
        launched.close()


def the_documents_pictures():
    """As the documents have them, in one figure, and as a page has them, panel by panel."""
    root = Path(__file__).parents[3]
    for file, draw in readme.DRAWN.items():
        plate = draw(json.loads((root / f"{file}.json").read_text(encoding="utf-8")))
        for number, figure in enumerate([plate.figure(), *plate.figures()]):
            drawn = section.inline(figure, f"{Path(file).name}-{number}")
            yield f'<figure id="{Path(file).name}-{number}"><div class="drawing">{drawn}</div></figure>'


@pytest.fixture(scope="module")
def path(tmp_path_factory, rendered):
    made = tmp_path_factory.mktemp("page") / "index.html"
    made.write_text(rendered, encoding="utf-8")
    return made


@pytest.fixture
def opened(browser, path):
    """The page in a browser, and what it asked for and complained of."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}, color_scheme="light")
    view = context.new_page()
    requests, complaints = [], []
    view.on("request", lambda request: requests.append(request.url))
    view.on("console", lambda message: complaints.append(message.text))
    view.on("pageerror", lambda error: complaints.append(str(error)))
    view.goto(path.as_uri())
    yield view, requests, complaints
    context.close()


def test_it_asks_for_itself_alone_does_not_complain_and_no_labels_overlap(opened):
    view, requests, complaints = opened
    assert [url for url in requests if not url.startswith("data:")] == [view.url]
    assert not complaints
    assert view.locator(".drawing svg").count() > 15
    assert view.evaluate(OVERLAPS) == []
    top = view.locator("#machines, .findings, .questions").all()
    assert all(each.bounding_box()["y"] + each.bounding_box()["height"] < 900 for each in top)
    view.set_content("".join(the_documents_pictures()))
    assert view.locator(".drawing svg").count() > 2 * len(readme.DRAWN)
    assert view.evaluate(OVERLAPS) == []


def test_tables_sort_by_text_numbers_and_units(opened):
    view, _, _ = opened
    view.locator("#products summary", has_text="rows").last.click()
    table = view.locator("#products table").first
    heading = table.locator("thead button", has_text="kernel")
    heading.click()
    names = table.locator("tbody th a:not(.anchor)").all_inner_texts()
    assert names == sorted(names)
    heading.click()
    assert table.locator("tbody th a:not(.anchor)").all_inner_texts() == names[::-1]
    assert table.locator("thead th").first.get_attribute("aria-sort") == "descending"
    view.locator("#sgd details.table summary", has_text="table of batch-size").click()
    table = view.locator("#sgd details.table", has_text="table of batch-size").locator("table")
    table.locator("thead button", has_text="epoch").first.click()
    assert table.locator("tbody tr td:nth-child(2)").all_inner_texts() == ["10.0 us", "20.0 us", "30.0 us"]


def test_one_search_goes_over_all_tables(opened):
    view, _, _ = opened
    view.locator("#search").fill("numba full 256")
    rows = view.locator("details.table tbody tr:visible").all_inner_texts()
    assert rows
    assert all("numba/full" in row and "256" in row for row in rows)
    assert view.locator("#found").inner_text() == f"{len(rows)} rows in {view.locator('details.table:visible').count()} tables"
    view.locator("#search").fill("")
    assert view.locator("details.table:visible").count() > len(rows)


def test_a_series_is_highlighted_in_pictures_and_tables(opened):
    view, _, _ = opened
    view.locator("#products summary", has_text="rows").last.click()
    view.locator("#highlight").select_option("numba/full")
    lit = view.locator("[data-series].lit").evaluate_all("some => some.map(each => each.dataset.series)")
    assert set(lit) == {"numba/full"}
    assert len(lit) > 4
    assert {row.split()[0] for row in view.locator("#products tr.lit").all_inner_texts()} == {"numba/full"}
    view.locator("#highlight").select_option("")
    assert not view.locator(".lit").count()
    view.locator('#limit text:text-is("mkl/full")').first.hover()
    assert view.locator('[data-series="mkl/full"].lit').count()
    view.locator('#limit text:text-is("mkl/full")').first.click()
    assert view.locator("#highlight").input_value() == "mkl/full"


def test_figures_rows_and_samples_have_addresses(opened):
    view, _, _ = opened
    view.goto(f"{view.url}#products-1-table-1-row-3")
    view.reload()
    row = view.locator("#products-1-table-1-row-3")
    assert row.is_visible()
    assert row.locator("a.anchor").get_attribute("href") == "#products-1-table-1-row-3"
    assert view.locator("#limit-figure-1 figcaption a").get_attribute("href") == "#limit-figure-1"
    name = row.locator("a:not(.anchor)")
    title = unquote(name.get_attribute("href")).split("/", 1)[1]
    name.click()
    assert view.locator("#distribution p").inner_text().startswith(f"{title}: median ")
    assert view.locator("#distribution circle").count() == 6
    assert view.locator("#case").input_value().endswith(title)


def test_a_table_is_copied_as_markdown(opened):
    view, _, _ = opened
    view.locator("#cost summary", has_text="Time a step").click()
    button = view.locator("#cost details[open] button.markdown")
    button.click()
    lines = button.get_attribute("data-copied").splitlines()
    assert lines[0] == "| step | batch 1 | batch 10 | batch 100 | batch 1500 | t0 |"
    assert lines[1] == "| --- | ---: | ---: | ---: | ---: | ---: |"
    assert lines[2].startswith("| numba-fused | ")
    assert button.inner_text() == "Copied"


def test_theme_anchors_and_tips_work(opened):
    view, _, _ = opened
    paper = "getComputedStyle(document.body).backgroundColor"
    light = view.evaluate(paper)
    view.locator("#theme").click()
    assert view.evaluate(paper) != light
    view.locator("nav a", has_text="Verdict").click()
    assert view.url.endswith("#verdict")
    assert view.locator("#verdict").bounding_box()["y"] < 900
    assert any("GFLOPS" in text for text in view.locator("#limit .tip title").all_text_contents())


@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_it_fits_and_axe_finds_nothing_serious(opened, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    view, _, _ = opened
    view.emulate_media(color_scheme=scheme)
    view.set_viewport_size({"width": width, "height": 800})
    for place in ("#products", "#cost"):
        view.locator(f"{place} details.table summary").first.click()
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    drawn_as_one = {
        "exclude": [[".drawing svg"]]
    }  # an image with a text: what is within has no roles, and is thousands of elements
    found = [each for each in Axe().run(view, drawn_as_one).response["violations"] if each["impact"] in ("serious", "critical")]
    assert not [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def test_it_prints(opened):
    view, _, _ = opened
    view.locator("#theme").click()
    view.emulate_media(media="print", color_scheme="dark")
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not view.locator("nav").first.is_visible()
    assert not view.locator(".copy").first.is_visible()
    view.evaluate("dispatchEvent(new Event('beforeprint'))")
    headings = view.locator("details[open] thead button").all()
    assert headings
    assert all(each.is_visible() for each in headings)
    assert re.match(rb"%PDF", view.pdf())
