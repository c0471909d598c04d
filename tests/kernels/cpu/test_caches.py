from __future__ import annotations

import json
import subprocess

import cpuinfo
import pytest

from kernels.cpu import caches as module
from kernels.cpu.caches import ASSUMED, Cache, caches, from_cpuinfo, from_lscpu, from_sysctl, from_sysfs


@pytest.fixture(autouse=True)
def _fresh():
    caches.cache_clear()
    yield
    caches.cache_clear()


def sysfs(folder, *rows):
    names = ("level", "type", "size", "ways_of_associativity", "coherency_line_size", "shared_cpu_list")
    for index, row in enumerate(rows):
        place = folder / "cache" / f"index{index}"
        place.mkdir(parents=True)
        for name, value in zip(names, row, strict=True):
            (place / name).write_text(f"{value}\n", encoding="utf-8")
    return folder


def test_sysfs_leaves_out_instructions_and_counts_the_sharers(tmp_path):
    cpu = sysfs(
        tmp_path,
        (1, "Data", "32K", 8, 64, "0"),
        (1, "Instruction", "32K", 8, 64, "0"),
        (3, "Unified", "32768K", 16, 64, "0-3,8-11"),
    )
    assert from_sysfs(cpu) == [Cache(1, 32 << 10, 8, 64, 1, "sysfs"), Cache(3, 32 << 20, 16, 64, 8, "sysfs")]


@pytest.mark.parametrize(
    ("fact", "value", "found"),
    [
        ("size", "0K", Cache(2, 512 << 10, 8, 64, 1, "assumed")),
        ("size", "-1K", Cache(2, 512 << 10, 8, 64, 1, "assumed")),
        ("size", "99999999999K", Cache(2, 512 << 10, 8, 64, 1, "assumed")),
        ("size", "unknown", Cache(2, 512 << 10, 8, 64, 1, "assumed")),
        ("size", None, Cache(2, 512 << 10, 8, 64, 1, "assumed")),
        ("ways_of_associativity", 0, Cache(2, 512 << 10, 8, 64, 1, "sysfs, ways assumed")),
        ("ways_of_associativity", -4, Cache(2, 512 << 10, 8, 64, 1, "sysfs, ways assumed")),
        ("ways_of_associativity", 1 << 40, Cache(2, 512 << 10, 8, 64, 1, "sysfs, ways assumed")),
        ("ways_of_associativity", None, Cache(2, 512 << 10, 8, 64, 1, "sysfs, ways assumed")),
        ("coherency_line_size", 0, Cache(2, 512 << 10, 8, 64, 1, "sysfs, line assumed")),
        ("coherency_line_size", 77, Cache(2, 512 << 10, 8, 64, 1, "sysfs, line assumed")),
    ],
)
def test_what_cannot_be_true_of_a_level_is_assumed_and_says_so(tmp_path, monkeypatch, fact, value, found):
    cpu = sysfs(tmp_path, (1, "Data", "32K", 8, 64, "0"), (2, "Unified", "512K", 8, 64, "0"))
    file = cpu / "cache" / "index1" / fact
    file.unlink() if value is None else file.write_text(f"{value}\n", encoding="utf-8")
    monkeypatch.setattr(module, "SOURCES", (lambda: from_sysfs(cpu),))
    assert caches() == (Cache(1, 32 << 10, 8, 64, 1, "sysfs"), found)


def test_the_next_source_is_asked_for_a_level_that_the_first_does_not_tell(monkeypatch):
    first = [Cache(1, 32 << 10, 8, 64, 1, "a"), Cache(2, 0, 8, 64, 1, "a")]
    second = [Cache(1, 48 << 10, 12, 64, 1, "b"), Cache(2, 1 << 20, 16, 64, 1, "b"), Cache(9, 1, 1, 1, 1, "b")]
    monkeypatch.setattr(module, "SOURCES", (lambda: first, lambda: second))
    assert caches() == (first[0], second[1])


def test_a_first_level_that_nobody_tells_is_assumed(monkeypatch):
    third = Cache(3, 8 << 20, 16, 64, 2, "a")
    monkeypatch.setattr(module, "SOURCES", (lambda: [third],))
    assert caches() == (ASSUMED[0], third)


@pytest.mark.parametrize("said", ["", "hw.l1dcachesize: 65536\n", "hw.l1dcachesize: -1\nhw.cachelinesize: 0\n", "nonsense\n"])
def test_sysctl_may_tell_little(monkeypatch, said):
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess([], 1, said))
    monkeypatch.setattr(module, "SOURCES", (from_sysctl,))
    assert caches()[0].line == 64
    assert caches()[0].ways > 0


def test_lscpu_may_leave_facts_out(monkeypatch):
    rows = [{"level": "1", "type": "Data", "one-size": None}, {"level": "2", "type": "Unified", "one-size": "1048576"}, {}]
    answer = subprocess.CompletedProcess([], 0, json.dumps({"caches": rows}))
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: answer)
    monkeypatch.setattr(module, "SOURCES", (from_lscpu,))
    assert caches() == (ASSUMED[0], Cache(2, 1 << 20, 8, 64, 1, "lscpu, ways assumed, line assumed"))


def test_a_machine_whose_sysfs_is_empty_asks_the_next_source(monkeypatch):
    rows = [
        {"name": "L1d", "one-size": "49152", "all-size": "98304", "ways": "12", "type": "Data", "level": "1",
         "coherency-size": "64"},
        {"name": "L1i", "one-size": "32768", "all-size": "65536", "ways": "8", "type": "Instruction", "level": "1",
         "coherency-size": "64"},
    ]  # fmt: skip
    answer = subprocess.CompletedProcess([], 0, json.dumps({"caches": rows}))
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: answer)
    monkeypatch.setattr(module, "SOURCES", (lambda: [], from_lscpu))
    assert caches() == (Cache(1, 48 << 10, 12, 64, 1, "lscpu"),)


def test_macos(monkeypatch):
    said = "hw.l1dcachesize: 65536\nhw.l2cachesize: 4194304\nhw.cachelinesize: 128\n"
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess([], 1, said))
    assert [(each.size, each.line, each.source) for each in from_sysctl()] == [
        (65536, 128, "sysctl"),
        (4194304, 128, "sysctl"),
    ]


def test_py_cpuinfo_knows_sizes_alone(monkeypatch):
    monkeypatch.setattr(cpuinfo, "get_cpu_info", lambda: {"l2_cache_size": 1 << 20, "l3_cache_size": "unknown"})
    assert [(each.level, each.size, each.source) for each in from_cpuinfo()] == [(2, 1 << 20, "py-cpuinfo")]


def test_what_nobody_tells_is_assumed_and_says_so(monkeypatch):
    def broken():
        raise OSError

    monkeypatch.setattr(module, "SOURCES", (broken, lambda: []))
    assert caches() == ASSUMED
    assert {each.source for each in caches()} == {"assumed"}


def test_this_machine_has_caches_that_grow_outwards():
    sizes = [each.size for each in caches()]
    assert sizes == sorted(sizes)
    assert all(each.sets * each.ways * each.line <= each.size for each in caches())
