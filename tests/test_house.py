"""The house rules that no linter knows: short files, short functions, few parameters, and no example that never runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted(path for top in ("benchmarks", "kernels", "minisgd", "tests") for path in (ROOT / top).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 350, 60, 8


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef))


def parameters(function: ast.FunctionDef) -> int:
    taken = function.args
    return len(taken.posonlyargs + taken.args + taken.kwonlyargs)


def test_no_file_is_long():
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert len(lines) > 200
    assert not {name: count for name, count in lines.items() if count > LONGEST_FILE}


def test_no_function_is_long():
    lines = {(path, each.name, each.lineno): each.end_lineno - each.lineno + 1 for path in FILES for each in functions(path)}
    assert len(lines) > 2000
    assert not {place: count for place, count in lines.items() if count > LONGEST_FUNCTION}


def test_no_function_of_the_packed_product_takes_much():
    files = [path for path in FILES if path.is_relative_to(ROOT / "kernels/packed")]
    assert len(files) > 10
    assert not {(path, each.name) for path in files for each in functions(path) if parameters(each) > MOST_PARAMETERS}


def with_examples() -> set[str]:
    """Files of which a docstring has an example."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    return {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, documented) and ">>> " in (ast.get_docstring(node) or "")
    }


def test_every_example_is_collected(pytestconfig):
    paths = [path for path in pytestconfig.getini("testpaths") if path != "tests"]  # whose examples would be no documentation
    found = [each for path in paths for each in sorted(ROOT.glob(path.rstrip("/")))]
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", *map(str, found)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout
    collected = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    apart = {path for path in with_examples() if path.startswith("kernels/cuda/")}  # tests/kernels/cuda runs these
    assert with_examples() - apart - collected == set()
    assert len(collected) > 20
