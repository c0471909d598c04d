"""Problems to train on: the chapter's airfoil data, which is shipped, and generated ones of any shape.

Whoever has the airfoil file elsewhere may pass its path. A hash decides whether a file is the real one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minisgd.common.cli import UsageError

SHIPPED = resources.files("minisgd") / "airfoil" / "airfoil_self_noise.dat"
SHA256 = "74c75fd71783f1e6b71f8a622b993dc592897a97cd689c5090a07147a1b097b3"
SOURCE = "Brooks, Pope and Marcolini, NASA RP-1218, 1989; UCI dataset 291, doi:10.24432/C5VW2C"
LICENCE = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
COLUMNS = 6
EXAMPLES = 1500
"""The chapter keeps this many, after whitening all rows."""

Array = NDArray[Any]


class DataError(UsageError):
    """A data file is not what it should be; the message says where."""


@dataclass(frozen=True)
class Problem:
    """Examples, targets, and the loss that no weights can go below.

    Parameters
    ----------
    name : str
        Says what the data is: "airfoil" is the real data and nothing else.
    x : (n, d) array
    y : (n, k) array
    objective : {"squared", "logistic"}
    floor : float or None
        The least loss of any weights, in float64; None where there is no closed form.
    source : str
        Where the data came from.
    """

    name: str
    x: Array
    y: Array
    objective: str
    floor: float | None
    source: str

    def astype(self, dtype: str) -> Problem:
        """The same problem with C-contiguous data of another dtype."""
        x, y = (np.ascontiguousarray(each, dtype=dtype) for each in (self.x, self.y))
        return Problem(self.name, x, y, self.objective, self.floor, self.source)


def airfoil(path: Path | None = None) -> Problem:
    """NASA's airfoil self-noise data as the chapter has it: all rows whitened, the first 1,500 kept.

    Parameters
    ----------
    path : Path, optional
        The file; the one that is shipped, if left out.

    Raises
    ------
    DataError
        If the file cannot be read, is not the real one, or has missing or text fields.

    Notes
    -----
    Brooks, Pope and Marcolini, NASA RP-1218, 1989; UCI dataset 291, doi:10.24432/C5VW2C; CC BY 4.0.
    """
    file = str(path or SHIPPED)
    content = read(path)
    table = parse(content, file)
    found = sha256(content)
    if found != SHA256:
        raise DataError(f"{file}: not the airfoil data: sha256 {found}, expected {SHA256}; pass another --path, or none")
    whitened = (table - table.mean(axis=0)) / table.std(axis=0)
    x, y = whitened[:EXAMPLES, :-1], whitened[:EXAMPLES, -1:]
    return Problem("airfoil", x, y, "squared", least_squares_floor(x, y), file)


def read(path: Path | None = None) -> bytes:
    """The airfoil file as it is: the one that is shipped, if no path is given.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    file = path or SHIPPED
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from None


def sha256(content: bytes) -> str:
    """Hash of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def parse(content: bytes, file: str) -> Array:
    """A tab-separated table of six numbers a line.

    Raises
    ------
    DataError
        With the file and the number of the line, if a field is missing or is no number.
    """
    rows = []
    for number, line in enumerate(content.decode("ascii", errors="replace").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != COLUMNS:
            raise DataError(f"{file}, line {number}: expected {COLUMNS} tab-separated fields, got {len(fields)}")
        for column, field in enumerate(fields, start=1):
            if not math.isfinite(_number(field)):
                raise DataError(f"{file}, line {number}, column {column}: expected a finite number, got {field[:40]!r}")
        rows.append([float(field) for field in fields])
    if not rows:
        raise DataError(f"{file}: expected rows of numbers, got an empty file")
    return np.array(rows)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def least_squares_floor(x: Array, y: Array) -> float:
    """Half of the mean squared residual of the best weights and bias."""
    design = np.column_stack([x, np.ones(len(x))])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(0.5 * np.square(residual).sum() / len(x))


def linear(n: int, d: int, k: int = 1, noise: float = 0.5, seed: int = 0) -> Problem:
    """Standard normal examples, linear targets with noise."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, d))
    weights = random.standard_normal((d, k)) / np.sqrt(d)
    y = x @ weights + noise * random.standard_normal((n, k))
    return Problem("linear", x, y, "squared", least_squares_floor(x, y), f"generated, seed {seed}")


def logistic(n: int, d: int, k: int = 1, seed: int = 0) -> Problem:
    """Standard normal examples, labels 0 and 1 drawn with logistic probabilities."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, d))
    logits = x @ (2 * random.standard_normal((d, k)) / np.sqrt(d))
    y = (random.random((n, k)) < 1 / (1 + np.exp(-logits))).astype(np.float64)
    return Problem("logistic", x, y, "logistic", None, f"generated, seed {seed}")


DATA: dict[str, Callable[[], Problem]] = {
    "airfoil": airfoil,
    "linear": lambda: linear(10_000, 20),
    "logistic": lambda: logistic(10_000, 20),
}
"""Problems by the name that a command takes."""


def load(name: str, path: Path | None = None) -> Problem:
    """A problem by name; the path is that of the airfoil file.

    Raises
    ------
    UsageError
        If there is none of that name, the file is not what it should be, or one is given for generated data.
    """
    if name not in DATA:
        raise UsageError(f"unknown data {name!r}: expected {', '.join(DATA)}")
    if path and name != "airfoil":
        raise UsageError(f"--path {path}: --data {name} is generated, from no file; leave one of them out")
    return airfoil(path) if name == "airfoil" else DATA[name]()
