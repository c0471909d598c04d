"""The textbook's cells, in the one framework that is here."""

from __future__ import annotations

from benchmarks.frameworks import chapter


def test_the_rows_that_were_done_stand_for_all(monkeypatch):
    spent = iter([0.0, 0.0, 1.0, 2.0, 2.0])
    monkeypatch.setattr(chapter.time, "time", lambda: next(spent))
    monkeypatch.setattr(chapter, "ROWS_S", 2.0)
    rows = chapter.Rows()
    assert (list(rows), rows.done) == ([0, 1], 2)


def test_every_cell_is_timed_twice_and_every_run_learns(monkeypatch):
    monkeypatch.setattr(chapter, "ROWS_S", 0.05)
    found = chapter.products("PyTorch")
    assert list(found) == list(chapter.RUNGS)
    assert all(rate > 0 for rates in found.values() for rate in rates)
    monkeypatch.setattr(chapter, "RUNS", [each for each in chapter.RUNS if each.batch_size > 1])  # single examples take seconds
    for name, (loss, epoch, loading) in chapter.training("PyTorch").items():
        assert loss < 0.3, name  # 0.5 to begin with
        assert min(epoch, loading) > 0, name
