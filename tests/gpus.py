"""A GPU that does not exist, for this process or for others: see `fake_gpu`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from benchmarks.harness.host import gpu

FOLDER = Path(__file__).parent / "fake_gpu"


def environment(**more):
    """Variables for a process that is to find the GPU; FAKE_GPU says what is the matter with it."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(FOLDER), os.environ.get("PYTHONPATH", "")])} | more


def install(monkeypatch):
    """Put it in torch's and NVML's places in this process; the modules torch and pynvml."""
    for name in [each for each in sys.modules if each.partition(".")[0] in ("torch", "pynvml")]:
        monkeypatch.delitem(sys.modules, name)
    gpu._library.cache_clear()
    return [_load(monkeypatch, name) for name in ("torch", "pynvml")]


def _load(monkeypatch, name):
    place = FOLDER / name / "__init__.py" if (FOLDER / name).is_dir() else FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, place)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    if name == "torch":
        monkeypatch.setitem(sys.modules, "torch.cuda", None)
        monkeypatch.delitem(sys.modules, "torch.cuda")
    spec.loader.exec_module(module)
    return module
