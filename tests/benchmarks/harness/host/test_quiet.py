from __future__ import annotations

from collections import namedtuple

import psutil
import pytest

from benchmarks.harness.host import quiet

Times = namedtuple("Times", "user system idle iowait steal guest")


@pytest.fixture
def machine(monkeypatch):
    """Two cores, whose times between two looks are set; no governor and no quota."""

    def spends(*each):
        looks = iter([[Times(*[0.0] * 6)] * len(each), [Times(*times) for times in each]])
        monkeypatch.setattr(psutil, "cpu_times", lambda percpu: next(looks))

    monkeypatch.setattr(quiet, "cpus", lambda: [0, 1])
    monkeypatch.setattr(quiet, "CPUS", 2)
    monkeypatch.setattr(quiet, "WATCH_S", 0.0)
    monkeypatch.setattr(quiet, "_governors", list)
    monkeypatch.setattr(quiet, "quota", lambda: None)
    return spends


def test_a_machine_at_rest_is_not_complained_about(machine):
    machine((0.01, 0.0, 0.28, 0.01, 0.0, 0.0), (0.0, 0.0, 0.29, 0.01, 0.0, 0.0))
    assert quiet.complaint() is None


def test_other_work_and_stolen_time_are_told_apart(machine):
    machine((0.1, 0.05, 0.0, 0.0, 0.15, 0.1), (0.2, 0.1, 0.0, 0.0, 0.0, 0.2))
    told = quiet.complaint()
    assert "1.5 of 2 cores are at work for others" in told
    assert "25 % of their time goes to other virtual machines" in told


def test_processors_that_are_not_ours_do_not_count(machine):
    machine((0.0, 0.0, 0.3, 0.0, 0.0, 0.0), (0.0, 0.0, 0.3, 0.0, 0.0, 0.0), (0.3, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert quiet.complaint() is None


def test_a_governor_that_saves_power_is_named(tmp_path):
    for cpu, name in enumerate(("performance", "powersave")):
        folder = tmp_path / f"cpu{cpu}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(name + "\n", encoding="utf-8")
    assert quiet._governors(tmp_path) == ["the frequency governor is powersave, not performance"]


def test_a_quota_below_the_cores_is_told(monkeypatch, machine):
    machine(*[(0.0, 0.0, 0.3, 0.0, 0.0, 0.0)] * 2)
    monkeypatch.setattr(quiet, "quota", lambda: 1.5)
    assert "a quota of 1.5 of 2 cores" in quiet.complaint()
