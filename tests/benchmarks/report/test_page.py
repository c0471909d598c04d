"""The page, from made-up records: what it says, what it survives, and how it works in a browser with no network."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from runs_for_tests import MACHINE, make_record, make_run

from benchmarks.commands.report import report
from benchmarks.gate.outcome import Outcome, Row
from benchmarks.gate.verdict import Verdict
from benchmarks.report import page
from benchmarks.report.sections import all_of
from benchmarks.report.sources import Sources
from benchmarks.trackers.asv import Point
from benchmarks.trackers.history import series

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> & "quotes" ' + "long" * 200
SIZES = (64, 128, 256, 512)


def square(kernel, n, **changes):
    flops = 2 * n**3
    return make_record(kernel=kernel, shape={"m": n, "n": n, "p": n}, flops=flops, median_s=flops / 5e10, **changes)


def rate(gflops):
    return {"gflops": gflops, "gflops_low": gflops, "gflops_high": gflops}


def some_run():
    return make_run(
        *(square(f"{backend}/{rung}", n) for backend in ("numpy", "numba") for rung in ("elementwise", "full") for n in SIZES)
    )


def some_outcome():
    rows = [
        Row(case=square("numpy/full", 64), verdict=Verdict.SLOWER, ratio=1.1, low=1.05, high=1.2, blocks=9, logs=[0.1] * 9),
        Row(case=square("numba/full", 64), verdict=Verdict.FAILED, failure=HOSTILE),
    ]
    return Outcome(base="a" * 40, head="b" * 40, min_effect=0.03, budget_s=600, seconds=60, machine=MACHINE, rows=rows)


def some_series(kernels=4, commits=30):
    case = [square(f"numpy/{name}", 64) for name in ("full", "block", "tiled", "rowwise")][:kernels]
    return series(
        (Point("a machine", "an environment", f"{place:040d}", 1_700_000_000 + place * 1000, each, "seconds",
              1e-3 * (1 if place < commits / 2 else 1.5), 0.9e-3, 1.6e-3, None)
        for each in case for place in range(commits)),
        Path(),
    )  # fmt: skip


def some_findings():
    sizes = [[1, 3e-5, 0.1, 2], [10, 2e-5, 0.2, None], [100, 1e-5, 0.5, 4]]
    paces = {"numba-fused": [1e-5, 9e-6, 2e-5], "torch": [1e-3, 9e-4, 2e-3]}
    trained = {"name": "gd", "examples": [0, 1500, 3000], "losses": [0.5, 0.3, 0.25], "seconds_an_epoch": paces}
    data = {
        "book": {"n": 1500, "floor": 0.24, "runs": [trained]},
        "batch-size": {"rows": sizes},
        "noise": {"sizes": [1, 4, 16], "deviations": [2.0, 1.0, 0.5], "slope": -0.5, "reach": 0.01},
    }
    rows = [[str(size), f"{1e6 * epoch:.1f} us"] for size, epoch, *_ in sizes]
    return {
        name: {"experiment": name, "problem": "airfoil", "sentences": [f"what {name} found"],
               "table": {"title": f"table of {name}", "headings": ["batch", "epoch"], "rows": rows}} | each
        for name, each in data.items()
    }  # fmt: skip


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def everything():
    return Sources(
        runs=[("one.json", some_run())], series=some_series(), outcome=some_outcome(),
        findings=some_findings(),
    )  # fmt: skip


def test_a_sweep_says_how_near_the_predicted_tile_comes_to_the_best():
    rates = {8: 10.0, 20: 30.0, 64: 40.0}  # 20 columns of 256 rows fill five eighths of the machine's 32 KiB
    run = make_run(*(square("numba/block", 256, tile={"width": width}, **rate(found)) for width, found in rates.items()))
    (made,) = (section for section in all_of(Sources(runs=[("sweep.json", run)])) if section.name == "tiles")
    assert made.sentences[0].endswith("The best tile measured, 64, reaches 40.0 GFLOPS.")
    assert made.sentences[1] == "The tile predicted for L1 (chosen), 20, reaches 75 % of the measured best."


def test_a_sweep_that_cannot_tell_two_tiles_apart_says_so():
    near = square("numba/block", 256, tile={"width": 20}, gflops=30.0, gflops_low=25.0, gflops_high=41.0)
    others = (square("numba/block", 256, tile={"width": width}, **rate(40.0 - width)) for width in (4, 8))
    (made,) = (each for each in all_of(Sources(runs=[("s.json", make_run(near, *others))])) if each.name == "tiles")
    assert made.sentences[1].endswith("reaches 83 % of the measured best; their intervals overlap.")


def test_each_section_says_what_its_data_show():
    made = {section.name: section for section in all_of(everything())}
    assert list(made) == [
        "machine", "ladder", "size", "roofline", "tiles", "overhead", "sgd", "devices", "history", "verdict", "measured"
    ]  # fmt: skip
    assert "must be used" in made["machine"].sentences[0]
    assert "multiply-adds from registers" in " ".join(made["ladder"].sentences)
    assert made["size"].sentences[0].startswith("float32, threads 1: the most is")
    assert made["sgd"].sentences == ["what book found", "what batch-size found", "what noise found"]
    assert [table.title for table in made["sgd"].tables] == ["table of book", "table of batch-size", "table of noise"]
    assert len(made["sgd"].pictures) == 3
    assert "1 slower" in made["verdict"].sentences[0]
    assert made["devices"].empty
    assert made["devices"].command == "python -m benchmarks run --device cuda"


def test_devices_stand_side_by_side_and_one_overtakes_the_other():
    host = [square("torch/full", n, **rate(100.0)) for n in SIZES]
    gpu = [square("torch/full", n, device="cuda", **rate(n / 2.0)) for n in SIZES]
    (section,) = [each for each in all_of(Sources(runs=[("one.json", make_run(*host, *gpu))])) if each.name == "devices"]
    overtaking = min(n for n in SIZES if n / 2 > 100)
    assert section.sentences == [f"CUDA overtakes the CPU at size {overtaking}."]
    assert [row[0].text for row in section.tables[0].rows] == [str(n) for n in SIZES]


def test_a_step_links_to_its_commit():
    text = page.render(Sources(series=some_series(), commit_url="https://example.org/commit/"))
    assert f'<a href="https://example.org/commit/{15:040d}">{15:040d}'[:-32] in text
    assert '<a href="https' not in page.render(Sources(series=some_series()))


def test_runs_of_several_commits_or_machines_stand_side_by_side():
    later = make_run(square("numpy/full", SIZES[0], **rate(75.0))).model_copy(update={"commit": "d" * 40})
    (section,) = [e for e in all_of(Sources(runs=[("a.json", some_run()), ("b.json", later)])) if e.name == "ladder"]
    assert [each.heading for each in section.tables[-1].columns] == ["case", "a.json, cccccccc", "b.json, dddddddd"]
    assert texts(section.tables[-1]) == [[square("numpy/full", SIZES[0]).title, "50.0", "75.0"]]
    other = later.model_copy(update={"machine": MACHINE.model_copy(update={"cpu": "another CPU"})})
    (section,) = [e for e in all_of(Sources(runs=[("a.json", some_run()), ("b.json", other)])) if e.name == "ladder"]
    assert "different machines" in section.tables[-1].title
    (section,) = [e for e in all_of(Sources(runs=[("a.json", some_run()), ("b.json", some_run())])) if e.name == "ladder"]
    assert not any("side by side" in table.title for table in section.tables)


def test_overhead_finds_what_a_start_costs():
    def timed(n):
        return 2e-6 * n * n + 2 * n**3 / 1e10

    records = [square("numpy/elementwise", n).model_copy(update={"median_s": timed(n)}) for n in SIZES]
    (section,) = [each for each in all_of(Sources(runs=[("one.json", make_run(*records))])) if each.name == "overhead"]
    assert texts(section.tables[0])[0][1:3] == ["2.00 us", "10.0"]


def test_nothing_at_all_is_a_page_of_commands():
    text = page.render(Sources())
    assert text.count("No data yet") == 10
    assert "make bench" in text


def test_failed_partial_and_single_sample_records_render():
    failed = make_record(kernel="torch/full", failure=HOSTILE, passed=False, median_s=None, gflops=None, percent_of_peak=None)
    bare = make_record(kernel="numpy/block", percent_of_peak=None, error=None, error_bound=None, samples_per_round=None)
    other = make_run(make_record()).model_copy(
        update={"machine": MACHINE.model_copy(update={"cpu": "another CPU", "ceilings": {}})}
    )
    text = page.render(Sources(runs=[("a.json", make_run(failed, bare)), ("b.json", other)]))
    assert "figures of different machines stand side by side, not against each other" in text
    assert "1 case failed" in text


def test_a_finding_of_an_older_version_is_left_out_with_a_word(tmp_path, capsys):
    old = tmp_path / "book.json"
    old.write_text(json.dumps({"experiment": "book", "problem": "airfoil", "numba-fused": [[[0.0, 0, 0.49]]]}), encoding="utf-8")
    report(run=[old], out=tmp_path / "out")
    assert "book.json: left out, since an older version made it; run the experiment again" in capsys.readouterr().out
    assert (tmp_path / "out/index.html").exists()


def test_names_and_reasons_show_as_text():
    run = make_run(make_record(kernel="numpy/full", failure=HOSTILE, passed=False), make_record())
    hostile = run.model_copy(update={"machine": MACHINE.model_copy(update={"cpu": HOSTILE}), "commit": "<b>x</b>"})
    text = page.render(Sources(runs=[(HOSTILE, hostile)], outcome=some_outcome()))
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<b>x" not in text


def test_the_same_records_give_the_same_bytes():
    assert page.render(everything()) == page.render(everything())


def test_many_records_make_a_small_page():
    rungs = ("elementwise", "rowwise", "columnwise", "block", "full")
    records = [
        square(f"{backend}/{rung}", n, threads=threads)
        for backend in ("numpy", "numba", "torch", "python") for rung in rungs for n in range(32, 240, 16) for threads in (1, 2)
    ]  # fmt: skip
    text = page.render(Sources(runs=[("one.json", make_run(*records[:500]))], series=some_series(4, 500)))
    assert len(text) < 5_000_000


def test_the_raw_records_lie_beside_the_page(tmp_path):
    raw = tmp_path / "raw" / "one.json"
    raw.parent.mkdir()
    raw.write_text("{}", encoding="utf-8")
    made = page.save(Sources(runs=[("one.json", some_run())]), page.names([raw], tmp_path / "out"), tmp_path / "out")
    assert made.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "out/one.json").exists()


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


@pytest.fixture
def opened(browser, tmp_path):
    """The page in a browser, and what it asked for and complained of."""
    path = page.save(everything(), {}, tmp_path)
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}, color_scheme="light")
    view = context.new_page()
    requests, complaints = [], []
    view.on("request", lambda request: requests.append(request.url))
    view.on("console", lambda message: complaints.append(message.text))
    view.on("pageerror", lambda error: complaints.append(str(error)))
    view.goto(path.as_uri())
    yield view, requests, complaints
    context.close()


def test_it_asks_for_itself_alone_and_does_not_complain(opened):
    view, requests, complaints = opened
    assert [url for url in requests if not url.startswith("data:")] == [view.url]
    assert not complaints


def test_tables_sort_and_filter(opened):
    view, _, _ = opened
    table = view.locator("#ladder table").first
    heading = table.locator("thead button", has_text="kernel")
    heading.click()
    names = table.locator("tbody th").all_inner_texts()
    assert names == sorted(names)
    heading.click()
    assert table.locator("tbody th").all_inner_texts() == names[::-1]
    assert table.locator("thead th").first.get_attribute("aria-sort") == "descending"
    view.locator("#ladder input.filter").first.fill("numba full")
    assert {row.split()[0] for row in table.locator("tbody tr:visible").all_inner_texts()} == {"numba/full"}


def test_times_sort_by_their_units(opened):
    view, _, _ = opened
    table = view.locator("#sgd table").first
    table.locator("thead button", has_text="epoch").first.click()
    assert table.locator("tbody tr td:nth-child(2)").all_inner_texts() == ["10.0 us", "20.0 us", "30.0 us"]


def test_theme_and_anchors_work(opened):
    view, _, _ = opened
    paper = "getComputedStyle(document.body).backgroundColor"
    light = view.evaluate(paper)
    view.locator("#theme").click()
    assert view.evaluate(paper) != light
    view.locator("nav a", has_text="Verdict").click()
    assert view.url.endswith("#verdict")
    assert view.locator("#verdict").bounding_box()["y"] < 900


def test_points_tell_their_values(opened):
    view, _, _ = opened
    assert any("GFLOPS" in text for text in view.locator("#size .tip title").all_text_contents())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_it_fits_and_axe_finds_nothing_serious(opened, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    view, _, _ = opened
    view.emulate_media(color_scheme=scheme)
    view.set_viewport_size({"width": width, "height": 800})
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    found = [each for each in Axe().run(view).response["violations"] if each["impact"] in ("serious", "critical")]
    assert not [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def test_it_prints(opened):
    view, _, _ = opened
    view.emulate_media(media="print")
    assert not view.locator("nav").is_visible()
    assert not view.locator(".copy").first.is_visible()
    headings = view.locator("details[open] thead button").all()
    assert headings
    assert all(each.is_visible() for each in headings)
    assert re.match(rb"%PDF", view.pdf())
