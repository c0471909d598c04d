"""The textbook's rungs in MXNet's numpy, as its users wrote them until the project was archived in 2023.

A call only puts the work in the engine's queue and returns: what the lower rungs measure is how long that takes, ten times what
torch takes for the operation itself. A result is waited for by ``wait_to_read``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mxnet import np, npx
from numpy.typing import NDArray

from kernels.arrays import Library, register
from kernels.registry import kernel
from kernels.rungs.loop_tiles import square_tile

npx.set_np()  # arrays without elements, and numpy's shapes

Matrix = Any


class MXNet(Library):
    """Arrays that are written by the engine's threads, some time after the call."""

    expected, packages = "an mxnet.np array", ("mxnet",)

    @staticmethod
    def wait(array: Any) -> None:
        """Until nothing is left to be written to it."""
        array.wait_to_read()

    def place(self, host: NDArray[Any]) -> Any:
        """A copy."""
        return np.array(host, dtype=host.dtype)

    def write(self, array: Any, host: NDArray[Any]) -> Any:
        """In place."""
        array[:] = host
        return array

    def fetch(self, array: Any) -> NDArray[Any]:
        """A copy, when all is written."""
        fetched: NDArray[Any] = array.asnumpy()
        return fetched


register("mxnet", MXNet())
rung = partial(kernel, "mxnet", arrays="mxnet")


@rung("elementwise")
def elementwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """M p dot products of length n, a call each."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.dot(a[i, :], b[:, j])


@rung("rowwise", threads=True)
def rowwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """M vector-matrix products, which read b m times in all."""
    for i in range(out.shape[0]):
        out[i, :] = np.dot(a[i, :], b)


@rung("columnwise", threads=True)
def columnwise(a: Matrix, b: Matrix, out: Matrix) -> None:
    """P matrix-vector products, which read a p times in all."""
    for j in range(out.shape[1]):
        out[:, j] = np.dot(a, b[:, j])


@rung("block", threads=True, tile={"width": 64})
def block(a: Matrix, b: Matrix, out: Matrix, width: int) -> None:
    """P / width products with a slab of b's columns."""
    for j in range(0, out.shape[1], width):
        out[:, j : j + width] = np.dot(a, b[:, j : j + width])


@rung("tiled", threads=True, tile=square_tile)
def tiled(a: Matrix, b: Matrix, out: Matrix, tm: int, tn: int, tp: int) -> None:
    """Products of tiles, added up over n; each sum passes through a temporary tile."""
    out[:] = 0
    for i in range(0, a.shape[0], tm):
        for k in range(0, a.shape[1], tn):
            for j in range(0, b.shape[1], tp):
                out[i : i + tm, j : j + tp] += np.dot(a[i : i + tm, k : k + tn], b[k : k + tn, j : j + tp])


@rung("full", threads=True, peer=True)
def full(a: Matrix, b: Matrix, out: Matrix) -> None:
    """One call of the OpenBLAS that MXNet brings."""
    np.dot(a, b, out=out)
