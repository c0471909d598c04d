import os
import subprocess
import sys

OUTER = """
import numba
import inner
from kernels.caching import cached

{decorator}
def outer(x):
    return inner.add(x)

print(outer(1), sum(outer.stats.cache_hits.values()))
"""
INNER = "import numba\n\n@numba.njit\ndef add(x):\n    return x + {}\n"


def run(folder):
    paths = os.pathsep.join([str(folder), *sys.path])
    done = subprocess.run(
        [sys.executable, folder / "outer.py"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_change_in_a_file_that_is_inlined_is_seen(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER.format(decorator="@cached()"))
    (tmp_path / "inner.py").write_text(INNER.format(1))
    assert run(tmp_path) == ["2", "0"]
    assert run(tmp_path) == ["2", "1"]  # from the disk
    (tmp_path / "inner.py").write_text(INNER.format(2))
    assert run(tmp_path) == ["3", "0"]


def test_a_signature_is_compiled_at_once_and_no_other(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER.format(decorator="@cached('int64(int64)')").replace("outer(1)", "outer(1.5)"))
    (tmp_path / "inner.py").write_text(INNER.format(1))
    assert run(tmp_path)[0] == "2"
    assert run(tmp_path) == ["2", "1"]
