"""The page, from made-up records: what it says, and what it survives."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from pages_for_tests import HOSTILE, SIZES, everything, rate, some_outcome, some_run, some_series, square
from runs_for_tests import MACHINE, make_record, make_run

from benchmarks.commands.report import report
from benchmarks.report import page
from benchmarks.report.sections import all_of
from benchmarks.report.sources import Sources

NUMBER = re.compile(r"(?<![A-Za-z0-9.,])\d+(?:,\d{3})*(?:\.\d+)?")


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def sections(sources):
    return {section.name: section for section in all_of(sources)}


@pytest.fixture(scope="module")
def told():
    return sections(everything())


def words_of(text):
    """Sentences of a page: paragraphs, list items, headings, captions and summaries."""
    body = text[text.index("<body>") : text.index('<script type="application/json"')]
    found = re.findall(r"<(p|li|h\d|figcaption|summary)\b[^>]*>(.*?)</\1>", body, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", inner)) for tag, inner in found if "download" not in inner]


def test_each_question_is_answered_on_the_first_screen_or_one_click_from_it(rendered, told):
    top = rendered[rendered.index("<header>") : rendered.index("</header>")]
    asked = dict(re.findall(r'<li><a href="#(\w+)">([^<]*\?)</a>', top))
    assert len(re.findall(r'<li><a href="#\w+">[^<]*\?</a>', top)) == 5
    answers = {"limit": ("at most 100 GFLOPS on 1 thread", "times as fast as the best BLAS"),
               "blocking": ("A block of b of", "Why?"),
               "minibatches": ("least loss first", "and why?"), "cost": ("torch: at batch 1 a step takes",)}  # fmt: skip
    assert set(asked) == set(answers)
    for name, expected in answers.items():
        said = " ".join(told[name].sentences)
        assert all(words in said for words in expected), said
        assert told[name].command in unescape(rendered)


def test_every_number_in_a_sentence_of_the_story_is_in_a_table(told):
    tables = [
        table for each in told.values() for table in [*each.all_tables, *(t for group in each.groups for t in group.tables)]
    ]
    listed = {number for table in tables for row in texts(table) for text in row for number in NUMBER.findall(text)}
    sentences = [sentence for each in told.values() if each.story for sentence in each.sentences]
    assert len(sentences) > 10
    assert not [(number, sentence) for sentence in sentences for number in NUMBER.findall(sentence) if number not in listed]


def test_no_sentence_names_a_file(rendered):
    assert not [said for said in words_of(rendered) if re.search(r"\d{8}T\d{6}|\.json\b", said) and "python -m" not in said]
    assert "AMD EPYC (Zen 1, AVX2), ccccccc, sizes, 2026-01-02" in unescape(rendered)


def test_the_story_comes_first_and_the_reference_has_every_table(rendered, told):
    assert [each.name for each in told.values() if each.story] == ["loop", "blocking", "limit", "minibatches", "cost"]
    assert [each.name for each in told.values() if not each.story] == [
        "machine", "products", "roofline", "overhead", "sgd", "processes", "devices", "history", "verdict", "distributions",
        "measured",
    ]  # fmt: skip
    assert rendered.index('id="cost"') < rendered.index('id="reference"') < rendered.index('id="products"')
    assert [table.title for group in told["sgd"].groups[1:] for table in group.tables] == [
        "table of book", "table of batch-size", "table of overhead", "table of variants", "table of noise"
    ]  # fmt: skip
    assert "1 slower" in told["verdict"].sentences[0]
    assert told["devices"].empty
    assert len(told["history"].sparklines) == 4


def test_a_sweep_says_how_near_the_tile_in_use_comes_to_the_best():
    rates = {8: 10.0, 20: 30.0, 64: 40.0}  # 20 columns of 256 rows fill five eighths of the machine's 32 KiB
    run = make_run(*(square("numba/block", 256, tile={"width": width}, **rate(found)) for width, found in rates.items()))
    made = sections(Sources(runs=[("sweep.json", run)]))["blocking"]
    assert made.sentences[0] == "The best tile measured of numba/block, 64, reaches 40.0 GFLOPS."
    assert made.sentences[1] == "The tile predicted for L1 (chosen), 20, reaches 75 % of the measured best."
    near = square("numba/block", 256, tile={"width": 20}, gflops=30.0, gflops_low=25.0, gflops_high=41.0)
    others = (square("numba/block", 256, tile={"width": width}, **rate(40.0 - width)) for width in (4, 8))
    made = sections(Sources(runs=[("s.json", make_run(near, *others))]))["blocking"]
    assert made.sentences[1].endswith("reaches 83 % of the measured best; their intervals overlap.")


def test_devices_stand_side_by_side_and_one_overtakes_the_other():
    host = [square("torch/full", n, **rate(100.0)) for n in SIZES]
    gpu = [square("torch/full", n, device="cuda", **rate(n / 2.0)) for n in SIZES]
    made = sections(Sources(runs=[("one.json", make_run(*host, *gpu))]))
    overtaking = min(n for n in SIZES if n / 2 > 100)
    assert made["devices"].sentences == [f"CUDA overtakes the CPU at size {overtaking}."]
    assert [row[0].text for row in made["devices"].tables[0].rows] == [str(n) for n in SIZES]
    assert len(made["limit"].pictures) == 3  # the roofline, and sizes on either device


def test_a_step_links_to_its_commit():
    text = page.render(Sources(series=some_series(), commit_url="https://example.org/commit/"))
    assert f'<a href="https://example.org/commit/{15:040d}">{15:040d}'[:-32] in text
    assert '<a href="https' not in page.render(Sources(series=some_series(1)))


def test_what_differs_between_two_runs_comes_first():
    before = make_run(*(square(f"numpy/{rung}", 64, **rate(50.0)) for rung in ("full", "block", "tiled")))
    speeds = {"numpy/full": 50.5, "numpy/block": 75.0, "numpy/tiled": 20.0}
    after = make_run(*(square(kernel, 64, **rate(speed)) for kernel, speed in speeds.items()))
    later = after.model_copy(update={"commit": "d" * 40})
    first = all_of(Sources(runs=[("a.json", before), ("b.json", later)]))[0]
    assert first.name == "differences"
    assert first.sentences[0].endswith("of 3 cases: 1 faster, 1 slower, 1 not told apart.")
    assert first.sentences[1].startswith(
        "The largest difference: numpy/tiled-64-float32-x1 is 0.400 times as fast [0.377, 0.425]."
    )
    assert [row[-1].text for row in first.all_tables[-1].rows] == ["slower", "faster", "not told apart"]
    alike = all_of(Sources(runs=[("a.json", before), ("b.json", before.model_copy(update={"commit": "d" * 40}))]))[0]
    assert alike.sentences[0].endswith("0 faster, 0 slower, 3 not told apart.")
    assert not alike.pictures
    assert all_of(Sources(runs=[("a.json", before), ("b.json", after)]))[0].name == "loop"  # the same commit and machine


def test_overhead_finds_what_a_start_costs():
    def timed(n):
        return 2e-6 * n * n + 2 * n**3 / 1e10

    records = [square("numpy/elementwise", n).model_copy(update={"median_s": timed(n)}) for n in SIZES]
    made = sections(Sources(runs=[("one.json", make_run(*records))]))
    assert texts(made["overhead"].tables[0])[0][1:3] == ["2.00 us", "10.0"]
    assert "2.00 us each" in made["loop"].sentences[0]


def test_nothing_at_all_is_a_page_of_commands():
    text = page.render(Sources())
    assert text.count("No data yet") == 15
    assert "make bench" in text


def test_failed_partial_and_single_sample_records_render():
    failed = make_record(kernel="torch/full", failure=HOSTILE, passed=False, median_s=None, gflops=None, percent_of_peak=None)
    bare = make_record(kernel="numpy/block", percent_of_peak=None, error=None, error_bound=None, samples_per_round=None)
    other = make_run(make_record()).model_copy(
        update={"machine": MACHINE.model_copy(update={"cpu": "another CPU", "ceilings": {}, "caches": []})}
    )
    text = page.render(Sources(runs=[("a.json", make_run(failed, bare)), ("b.json", other)]))
    assert "compare within a machine, not across" in text
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


def test_the_same_records_give_the_same_bytes(rendered):
    assert page.render(everything()) == rendered


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
    sources = Sources(runs=[("one.json", some_run(("numpy/full",), (64,)))])
    made = page.save(sources, page.names([raw], tmp_path / "out"), tmp_path / "out")
    assert made.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "out/one.json").exists()
