"""The frameworks: what each is made of, and how its threads are counted from outside.

A new one is an entry here, a list of pinned wheels in requirements/, and its kernels and steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"


@dataclass(frozen=True)
class Framework:
    """A framework.

    Parameters
    ----------
    name : str
        As it is chosen by.
    backends : tuple of str
        Of its kernels, in `kernels.registry`.
    step, concise : str
        In `minisgd.steps`: the chapter's from scratch, and with the framework's own optimiser.
    others : tuple of str
        Further steps of it.
    tab : str or None
        The textbook's, in `minisgd.published` and in `benchmarks.frameworks.chapter`; None if it has none.
    megabytes : int
        On disk, as measured when the requirements were pinned; 0 for what this interpreter has anyway.
    pythons : tuple of (int, int)
        Those that it has wheels for; any, if empty.
    threads : mapping of str to str
        Variables that set its number of threads as it is loaded, with "{}" in its place.
    """

    name: str
    backends: tuple[str, ...]
    step: str
    concise: str | None
    others: tuple[str, ...] = ()
    tab: str | None = None
    megabytes: int = 0
    pythons: tuple[tuple[int, int], ...] = ()
    threads: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def apart(self) -> bool:
        """Whether it has an environment of its own."""
        return self.requirements.exists()

    @property
    def requirements(self) -> Path:
        """The pinned distributions of its environment."""
        return REQUIREMENTS / f"{self.name}.txt"

    @property
    def steps(self) -> tuple[str, ...]:
        """All of its steps."""
        return (self.step, *([self.concise] if self.concise else []), *self.others)


FRAMEWORKS = {
    each.name: each
    for each in (
        Framework("numba", ("numba",), "numba-fused", None, ("numba",)),
        Framework("torch", ("torch",), "torch", "torch-concise", tab="PyTorch"),
        Framework(
            "mxnet", ("mxnet",), "mxnet", "mxnet-concise", tab="MXNet", megabytes=248, pythons=((3, 9), (3, 10), (3, 11)),
            threads={"OMP_NUM_THREADS": "{}"},  # with two workers of its engine its OpenBLAS 0.3.13 soon waits for ever
        ),
        Framework(
            "tensorflow", ("tensorflow", "tf-function"), "tensorflow", "tensorflow-concise",
            ("tensorflow-function", "tensorflow-epoch"), tab="TensorFlow", megabytes=1439,
            threads={"TF_NUM_INTRAOP_THREADS": "{}", "TF_NUM_INTEROP_THREADS": "{}", "TF_CPP_MIN_LOG_LEVEL": "3"},
        ),
        Framework(
            "jax", ("jax", "jax-jit"), "jax", "jax-concise", ("jax-scan",), megabytes=539,
            threads={"NPROC": "{}", "JAX_PLATFORMS": "cpu"},
        ),
    )
}  # fmt: skip
"""By name, ours first, then in the textbook's order. MXNet was archived in 2023: labelled history, where it still installs."""
