"""Matrix products, from the textbook's loop to the library's speed.

Importing this package imports numpy alone; a backend is imported when one of its kernels is asked for.
"""

from kernels.contract import matmul
from kernels.registry import Kernel, available, find, kernel, unavailable
from kernels.table import Unavailable, UnknownKernel

__all__ = ["Kernel", "Unavailable", "UnknownKernel", "available", "find", "kernel", "matmul", "unavailable"]
