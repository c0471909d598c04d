"""`numba/full`: a packed, register-blocked matrix product, from the arguments (gemm) to the registers (microkernel)."""

import kernels.rungs.numba_loops  # noqa: F401 (the rungs below it, and the choice of a threading layer)
from kernels.packed.gemm import gemm

__all__ = ["gemm"]
