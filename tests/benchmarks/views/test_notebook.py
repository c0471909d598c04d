"""What a notebook shows of a run, a record, a machine and a comparison; and a run as a data frame."""

from __future__ import annotations

import sys

import pytest
from runs_for_tests import MACHINE, make_record, make_run

import kernels
from benchmarks.gate.alternation import Alternation
from benchmarks.gate.paired import Block
from benchmarks.harness.records import Case
from minisgd.common.notebook import to_notebook
from minisgd.common.tables.description import Table, words

TILES = [{"tm": edge, "tn": edge, "tp": edge} for edge in (16, 32, 64)]
EPOCH = {"workload": "sgd", "rung": "step", "shape": {"n": 1500, "d": 5, "k": 1, "batch": 10}, "examples_s": 1e6}
SLABS = [make_record(kernel="numba/tiled", tile=tile, chosen_tile=True) for tile in TILES]


@pytest.mark.parametrize(
    ("run", "pictures", "said"),
    [
        (make_run(make_record(), make_record(kernel="numba/elementwise")), 1, "numba/elementwise"),
        (make_run(*SLABS), 1, "measured best"),
        (make_run(make_record(kernel="numpy", backend="numpy", **EPOCH)), 1, "an epoch of SGD"),
        (make_run(make_record(), make_record(kernel="numpy", backend="numpy", **EPOCH)), 2, "an epoch of SGD"),
        (make_run(make_record(gflops=None, median_s=None, passed=False, failure="died of SIGSEGV")), 0, "died of SIGSEGV"),
        (make_run(), 0, ""),
    ],
    ids=["ladder", "tiles", "epochs", "both workloads", "failed", "empty"],
)
def test_a_run_is_the_tables_and_pictures_of_its_commands(run, pictures, said):
    shown = run._repr_html_()
    assert shown.count("<svg") == pictures
    assert said in shown
    assert "<?xml" not in shown


def test_a_record_and_a_machine_are_tables():
    assert "numpy/full-256-float32-x1" in make_record()._repr_html_()
    assert "a CPU, 2 cores, AVX2" in MACHINE._repr_html_()


def test_a_comparison_has_a_picture_once_there_are_intervals():
    sides = [kernels.find("numba/full"), kernels.find("numpy/full")]
    record = make_record(kernel="numba/full")
    case = Case(**{name: getattr(record, name) for name in Case.model_fields})
    one = Block({case: {"numba/full": [1e-3], "numpy/full": [2e-3]}}, {})
    few, many = (Alternation(sides, [case], [one] * blocks)._repr_html_() for blocks in (1, 6))
    assert few.count("<svg") == 0
    assert many.count("<svg") == 1
    assert "2.000" in many


def test_what_a_name_holds_is_text():
    table = Table([words("<i>kernel")], "<b>title")
    table.add("<script>alert(1)</script>")
    shown = to_notebook(sentences=["<script>"], tables=[table])
    assert not {"<i>", "<script>"} & set(shown.replace(">", "> ").split())
    assert "&lt;b&gt;title" in shown


def test_a_data_frame_has_a_row_a_record_and_a_column_a_size():
    frame = make_run(make_record(), make_record(kernel="numba/full", gflops=60.0)).to_dataframe()
    assert list(frame["gflops"]) == [50.0, 60.0]
    assert list(frame["shape.m"]) == [256, 256]


def test_without_pandas_a_data_frame_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        make_run().to_dataframe()
