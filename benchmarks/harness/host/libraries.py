"""The BLAS and OpenMP libraries of this process: whose each is, its version, and the code that it runs on this CPU."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import tempfile
from functools import cache

import threadpoolctl

from benchmarks.harness.machines import Blas
from minisgd.common import environment


def of(backend: str) -> Blas | None:
    """The library that does a backend's products; None if the backend brings its own code, or its library is not known."""
    return next((each for each in loaded() if each.backend == backend), None)


def loaded() -> list[Blas]:
    """Every library that this process has loaded by now, torch's MKL included."""
    wheels = getattr(sys.modules.get("kernels.rungs.cblas_ops"), "LIBRARIES", {})
    backends = {library._name: backend for backend, library in wheels.items()}
    found = []
    for pool in threadpoolctl.threadpool_info():
        name, path = pool["internal_api"], pool["filepath"]
        backend = backends.get(path) or ("numpy" if pool["user_api"] == "blas" and _beside_numpy(path) else None)
        found.append(
            Blas(
                name=name, version=pool["version"], threads=pool["num_threads"], path=path, backend=backend,
                code_path=_mkl_code(path) if name == "mkl" else pool.get("architecture"),
                held_back=environment.in_force(name, backend or ""),
            )
        )  # fmt: skip
    torch = sys.modules.get("torch")
    # torch links MKL into its own library, where threadpoolctl cannot see it.
    if torch and (mkl := re.search(r"Math Kernel Library Version ([\w.]+)", torch.__config__.show())):
        found.append(
            Blas(
                name="mkl", version=mkl[1], threads=torch.get_num_threads(), path="in torch", backend="torch",
                code_path=_torch_code(), held_back=environment.in_force("mkl", "torch", "onednn"),
            )
        )  # fmt: skip
    return found


def _beside_numpy(path: str) -> bool:
    """Whether a library came in numpy's own wheel; the one that a system's numpy shares is nobody's."""
    return bool(re.search(r"[/\\]numpy(\.libs|[/\\]\.dylibs)[/\\]", path))


class _Version(ctypes.Structure):
    """MKLVersion of mkl_types.h."""

    _fields_ = (
        ("major", ctypes.c_int), ("minor", ctypes.c_int), ("update", ctypes.c_int), ("status", ctypes.c_char_p),
        ("build", ctypes.c_char_p), ("processor", ctypes.c_char_p), ("platform", ctypes.c_char_p),
    )  # fmt: skip


def _mkl_code(path: str) -> str:
    version = _Version()
    ctypes.CDLL(path).MKL_Get_Version(ctypes.byref(version))
    return _instructions((version.processor or b"").decode())


@cache
def _torch_code() -> str | None:
    """What torch's MKL says of itself before the first call that it tells about: on standard output, and once."""
    import torch

    with tempfile.TemporaryFile() as file:
        stdout = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            with torch.backends.mkl.verbose(torch.backends.mkl.VERBOSE_ON):  # type: ignore[no-untyped-call]
                torch.mm(torch.ones(2, 2), torch.ones(2, 2))
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)
        file.seek(0)
        said = re.search(r"architecture (.* processors)", file.read().decode(errors="replace"))
    return _instructions(said[1]) if said else None


def _instructions(processors: str) -> str:
    """MKL's name for what it runs on, in short.

    Examples
    --------
    >>> _instructions("Intel(R) Advanced Vector Extensions 2 (Intel(R) AVX2) enabled processors")
    'AVX2'
    >>> _instructions("Intel(R) Architecture processors")  # its word for every CPU of another maker
    'Intel Architecture'
    """
    short = re.search(r"\(Intel\(R\) ([^)]+)\)", processors)
    return short[1] if short else processors.replace("(R)", "").removesuffix(" processors")
