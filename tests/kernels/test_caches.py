from __future__ import annotations

import json
import subprocess

import pytest

from kernels import caches as module
from kernels.caches import ASSUMED, Cache, caches, from_cpuinfo, from_lscpu, from_sysctl, from_sysfs


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
            (place / name).write_text(f"{value}\n")
    return folder


def test_sysfs_leaves_out_instructions_and_counts_the_sharers(tmp_path):
    cpu = sysfs(
        tmp_path,
        (1, "Data", "32K", 8, 64, "0"),
        (1, "Instruction", "32K", 8, 64, "0"),
        (3, "Unified", "32768K", 16, 64, "0-3,8-11"),
    )
    assert from_sysfs(cpu) == [Cache(1, 32 << 10, 8, 64, 1, "sysfs"), Cache(3, 32 << 20, 16, 64, 8, "sysfs")]


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
    import cpuinfo

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
