"""What the page is made from, and what lies beside it: the command as a user gives it files."""

from __future__ import annotations

import json
import re

import asv_results
import pytest
from runs_for_tests import MACHINE, make_record, make_run

from benchmarks.commands.report import report
from benchmarks.harness.machines import Blas
from benchmarks.harness.records import Case, load, save
from minisgd.common.cli import UsageError


def kept_runs(folder, *names):
    blas = Blas(name="openblas", version="1", threads=1, path="/home/somebody/.venv/lib/libopenblas.so")
    run = make_run(make_record())
    run = run.model_copy(update={"machine": MACHINE.model_copy(update={"blas": [blas]})})
    for name in names:
        save(run, folder / name)
    return [folder / name for name in names]


def test_no_file_replaces_another_or_the_page(tmp_path):
    given = kept_runs(tmp_path, "index.html", "a/run.json", "b/run.json", "b/Index.HTML")
    first = load(given[0])
    save(first.model_copy(update={"machine": first.machine.model_copy(update={"core": "znver1"})}), given[0])
    report(run=given, out=tmp_path / "out")
    written = {each.name for each in (tmp_path / "out").iterdir()}
    assert written == {"index.html", "index-2.html", "run.json", "run-2.json", "Index-3.HTML"}
    text = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert all(f'href="{name}" download' in text for name in written - {"index.html"})
    assert load(tmp_path / "out/index-2.html").records == load(given[0]).records
    assert text.count('<p class="machine">a CPU (Zen 1, AVX2)') == text.count('<p class="machine">') == 1  # the others lack it


def test_a_run_that_lies_where_the_page_goes_is_left_alone(tmp_path):
    (there, elsewhere) = kept_runs(tmp_path, "out/run.json", "run.json")
    before = there.read_text(encoding="utf-8")
    report(run=[elsewhere, there], out=tmp_path / "out")
    assert there.read_text(encoding="utf-8") == before
    assert (tmp_path / "out/run-2.json").exists()
    (page_itself,) = kept_runs(tmp_path, "other/index.html")
    with pytest.raises(UsageError, match="the page would replace it"):
        report(run=[page_itself], out=tmp_path / "other")


def test_no_path_of_this_machine_is_on_the_page_or_beside_it(tmp_path):
    given = kept_runs(tmp_path / "home", "run.json")
    report(run=given, out=tmp_path / "out")
    for written in (tmp_path / "out").iterdir():
        text = written.read_text(encoding="utf-8")
        assert "libopenblas.so" in text
        assert "somebody" not in text
        assert str(tmp_path) not in text


@pytest.mark.parametrize("kind", ["asv", "pytest"])
def test_a_fresh_checkout_makes_the_page_of_what_was_given(tmp_path, monkeypatch, kind):
    asv_results.history(tmp_path / "results", [1.0, 2.0])
    case = make_record().model_dump(mode="json", include=set(Case.model_fields))
    stats = {"median": 1e-3, "iqr": 1e-5, "rounds": 9}
    stored = {
        "datetime": "2026-01-01T00:00:00+00:00",
        "benchmarks": [{"extra_info": {"case": case, "flops": 2 * 256**3}, "stats": stats}],
    }
    (tmp_path / "pytest.json").write_text(json.dumps(stored), encoding="utf-8")
    (tmp_path / "fresh").mkdir()
    monkeypatch.chdir(tmp_path / "fresh")
    report(**{kind: tmp_path / {"asv": "results", "pytest": "pytest.json"}[kind]}, out=tmp_path / "out")
    text = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert ("numba/tiled-64-float32-x1" if kind == "asv" else "numpy/full") in text
    with pytest.raises(UsageError, match="no runs yet"):
        report(out=tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "linked"),
    [
        ('{"show_commit_url": "https://example.org/"}', True),
        ('{"show_commit_url": "javascript:alert(1)//"}', False),
        ('{"show_commit_url": " JavaScript:alert(1)//"}', False),
        ('{"show_commit_url": "data:text/html,x"}', False),
        ('{"show_commit_url": "http://["}', False),
        ('{"show_commit_url": 3}', False),
        ("[1]", False),
        ("// a comment", False),
        ("[" * 100_000, False),
    ],
)
def test_commits_are_linked_to_the_web_alone(tmp_path, monkeypatch, settings, linked):
    asv_results.history(tmp_path / "results", [1, 1, 1, 2, 2, 2])
    (tmp_path / "asv.conf.json").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    report(asv=tmp_path / "results", out=tmp_path / "out")
    hrefs = re.findall(r'href="([^"#]*)"', (tmp_path / "out/index.html").read_text(encoding="utf-8"))
    assert {href for href in hrefs if href != "data:,"} == (
        {f"https://example.org/{asv_results.commit_hash(4)}"} if linked else set()
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.update(experiment=[]),
        lambda found: found.update(table=3),
        lambda found: found["table"].pop("rows"),
        lambda found: found.update(sentences=[]),
        lambda found: found.update(rows=[[0, 0, 0, 0]] * 2 + [["a", None, {}, []]]),
    ],
)
def test_a_spoilt_experiment_is_one_line(tmp_path, spoil):
    table = {"title": "a table", "headings": ["batch", "epoch"], "rows": [["1", "30 us"]]}
    found = {"experiment": "batch-size", "table": table, "sentences": ["a sentence"], "rows": [[1, 3e-5, 0.1, 2]]}
    spoil(found)
    (tmp_path / "found.json").write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(UsageError, match="run the experiment again"):
        report(run=[tmp_path / "found.json"], out=tmp_path / "out")
