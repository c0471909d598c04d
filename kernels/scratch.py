"""Room that compiled code works in, from a cache line's border on: numba's allocator aligns to 16 or 32 bytes, as luck has it.

Off the border every other vector of 32 bytes, and every one of 64, may lie across two lines, which takes two loads.
"""

from __future__ import annotations

from kernels.arrays import aligned_zeros
from kernels.caching import inner

scratch = inner(aligned_zeros)
"""``scratch(shape, dtype)`` in compiled code: zeros, C-contiguous, that begin on a cache line's border."""
