"""The asv suite of matrix products: a class a kernel, made from the registry; see `benchmarks.tracked`."""

from benchmarks.tracked import absent as __getattr__  # noqa: F401
from benchmarks.tracked import classes

globals().update(classes("gemm"))
