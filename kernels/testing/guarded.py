"""Matrices between pages that no program may touch: whoever reads or writes beside one dies of it."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PAGE = mmap.PAGESIZE
NO_ACCESS, READ = 0, 1
"""PROT_NONE and PROT_READ, which Python's mmap gives no name on every system."""


def guarded(x: Array, last: bool, writable: bool) -> Array:
    """Copy a matrix to pages of its own, between two pages without access.

    Parameters
    ----------
    x : (m, n) array
        In C or in Fortran order, which the copy has too.
    last : bool
        Whether it ends where its pages end; it begins where they begin, if not.
    writable : bool
        Whether its pages may be written.

    Returns
    -------
    (m, n) array
    """
    pages = max(1, -(-x.nbytes // PAGE))
    room = mmap.mmap(-1, (pages + 2) * PAGE)
    start = PAGE + (pages * PAGE - x.nbytes if last else 0)
    copy: Array = np.ndarray(x.shape, x.dtype, room, start, order="C" if x.flags.c_contiguous else "F")
    copy[...] = x
    address = np.frombuffer(room, np.uint8).ctypes.data
    for place, length, access in (
        (address, PAGE, NO_ACCESS),
        (address + PAGE, pages * PAGE, READ | (mmap.PROT_WRITE if writable else 0)),
        (address + (pages + 1) * PAGE, PAGE, NO_ACCESS),
    ):
        _protect(place, length, access)
    return copy


def _protect(address: int, length: int, access: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), ctypes.c_int(access)):
        raise OSError(ctypes.get_errno(), "mprotect")
