"""The asv suite of epochs of SGD: a class a step, made from the registry; see `benchmarks.tracked`."""

from benchmarks.tracked import absent as __getattr__  # noqa: F401
from benchmarks.tracked import classes

globals().update(classes("sgd"))
