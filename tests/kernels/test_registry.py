from __future__ import annotations

import ast
import os
import re
from textwrap import dedent

import gpus
import pytest
from plugin import install, python

from kernels import available, find, kernel
from kernels.registry import RUNGS

LISTED = "import kernels; print([each.name for each in kernels.available()])"


def without_torch(environment):
    """Another in its place, which is quick to import: what lists all kernels imports it."""
    return {"PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], str(gpus.FOLDER)])}


def test_import_loads_no_backend():
    assert python("import kernels, sys; print([x for x in ('torch', 'numba', 'llvmlite') if x in sys.modules])") == "[]"


def test_finding_a_kernel_loads_only_its_backend():
    assert python("import kernels, sys; kernels.find('numpy/full'); print('torch' in sys.modules)") == "False"


def test_the_table_is_sorted_from_the_lowest_rung_up():
    rungs = [each.rung for each in available("numpy/*")]
    assert [rung for rung in rungs if rung in RUNGS] == list(RUNGS)
    assert rungs[: len(RUNGS)] == list(RUNGS)  # others come behind


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match=r"'numpy/full' is already registered, by kernels.rungs.numpy_ops"):
        kernel("numpy", "full")(lambda a, b, out: None) if find("numpy/full") else None


def test_a_third_party_adds_a_kernel_through_an_entry_point(tmp_path):
    environment = install(
        tmp_path,
        "einsum",
        """
        import numpy as np
        from kernels import kernel

        @kernel("einsum", "full")
        def full(a, b, out):
            np.einsum("mn,np->mp", a, b, out=out)
        """,
    )
    code = "import numpy as np, kernels; print(kernels.matmul(np.eye(2), np.eye(2), kernel='einsum/full').tolist())"
    assert python(code, **environment) == "[[1.0, 0.0], [0.0, 1.0]]"
    assert "einsum/full" in python(LISTED, **without_torch(environment))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "no_such_module is not installed: pip install no_such_module"),
        ("raise RuntimeError('no driver')", "RuntimeError on import: no driver"),
    ],
)
def test_a_backend_that_cannot_be_imported_is_listed_with_the_reason_and_hides_no_other(tmp_path, source, reason):
    environment = install(tmp_path, "broken", source)
    said, listed = python(f"{LISTED}; print(kernels.unavailable()['broken'])", **without_torch(environment)).splitlines()[::-1]
    assert said == reason
    assert "numpy/full" in listed
    code = "import kernels\ntry: kernels.find('broken/full')\nexcept kernels.Unavailable as error: print(error)"
    assert python(code, **environment) == f"kernel 'broken/full' is unavailable: {reason}"


def test_a_kernel_is_found_whatever_the_entry_point_is_called(tmp_path):
    source = """
        from kernels import kernel

        @kernel("numba", "borrowed")
        @kernel("two-words", "full")
        def full(a, b, out):
            out[...] = a @ b
    """
    environment = install(tmp_path, "elsewhere", source)
    for name in ("numba/borrowed", "two-words/full"):
        assert python(f"import kernels; print(kernels.find({name!r}).name)", **environment) == name
    environment = install(tmp_path, "two-words", "import numpy_is_not_called_so")
    found = python("import kernels\ntry: kernels.find('two-words/other')\nexcept Exception as error: print(error)", **environment)
    assert "kernel 'two-words/other' is unavailable: numpy_is_not_called_so is not installed" in found


def test_a_stranger_that_crashes_leaves_or_never_ends_is_listed_with_the_reason_and_hides_no_other(tmp_path):
    for name, source in {
        "crashing": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "leaving": "raise SystemExit(3)",
        "quitting": "import os; os._exit(0)",
        "taking": "from kernels import kernel; kernel('numpy', 'full')(print)",
        "endless": "while True: pass",
        "fine": "import sys; print('not on standard output'); print('imported', file=sys.__stdout__)",
    }.items():
        environment = install(tmp_path, name, source)
    code = """
        from kernels import table
        table.TRIAL_S = 2
        print(table.Table("kernel", "kernels", {"numpy": "kernels.rungs.numpy_ops"}, rank=str).unavailable())
    """
    imported, reasons = python(dedent(code), **environment).splitlines()
    assert imported == "imported"
    assert ast.literal_eval(reasons) == {
        "crashing": "its import died of SIGSEGV",
        "leaving": "its import ended the process with status 3",
        "quitting": "its import ended the process with status 0",
        "taking": "ValueError on import: kernel 'numpy/full' is already registered, by kernels.rungs.numpy_ops",
        "endless": "its import did not end within 2 s",
    }
    code = """
        import kernels
        for name, trial in ("leaving", False), ("crashing", True):
            try: kernels.registry.PRODUCTS.find(f"{name}/full", trial)
            except kernels.Unavailable as error: print(error)
    """
    assert python(dedent(code), **environment).splitlines() == [
        "kernel 'leaving/full' is unavailable: SystemExit on import: 3",
        "kernel 'crashing/full' is unavailable: its import died of SIGSEGV",
    ]


@pytest.mark.parametrize(
    ("rung", "declared", "said"),
    [
        ("full", {"dtypes": ("int8",)}, "dtypes=('int8',): expected a tuple of float32"),
        ("full", {"dtypes": "float32"}, "dtypes='float32': expected a tuple of float32"),
        ("full", {"devices": ("tpu",)}, "devices=('tpu',): expected a tuple of cpu, cuda"),
        ("block", {"tile": {"breadth": 64}}, "expected width, as every block has"),
        ("block", {"tile": lambda dtype: {"width": 0}}, "tile={'width': 0}: expected whole numbers above 0"),
        ("fu\x1b[31mll", {}, "expected a name without control characters"),
    ],
)
def test_a_slip_in_what_is_declared_is_refused(rung, declared, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        kernel("slips", rung, **declared)(lambda a, b, out: None)
    assert not [each for each in available() if each.backend == "slips"]
