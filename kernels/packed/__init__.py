"""`numba/full`: a packed, register-blocked matrix product, from the arguments (gemm) to the registers (microkernel)."""

import kernels.rungs.numba_loops  # noqa: F401 (the rungs below it, and the choice of a threading layer)
from kernels.packed.blocks import with_blocks
from kernels.packed.gemm import gemm
from kernels.registry import kernel

__all__ = ["gemm"]

kernel("numba", "full", threads=True, compiles=True, variant=with_blocks)(gemm)
