"""Every rung of `numba-cuda`: importing this registers them."""

from kernels.cuda import block, columnwise, elementwise, rowwise, tiled  # noqa: F401
from kernels.cuda.full import stages  # noqa: F401
