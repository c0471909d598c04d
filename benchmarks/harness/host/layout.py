"""Where a process's memory lies, drawn anew, so that the luck of one layout is averaged and not taken for a kernel's speed.

Where operands, scratch and code lie decides up to a fifth of a small product's time, and none of it is the kernel's doing
(Mytkowicz et al., "Producing Wrong Data Without Doing Anything Obviously Wrong", ASPLOS 2009). Drawing it anew for each
replication makes it noise that the interval covers (Curtsinger and Berger, "Stabilizer", ASPLOS 2013). Operands are placed by
`devices.Cpu`.
"""

from __future__ import annotations

import random

BLOCKS = 256
LARGEST = 64 << 10
"""Bytes; the C library takes larger blocks from the system, and to free those changes where it takes all later ones from."""

_kept: list[bytearray] = []


def perturb(seed: int) -> None:
    """Allocate blocks of random sizes and free every other one, so that what is allocated next lies elsewhere."""
    draw = random.Random(seed)
    blocks = [bytearray(int(LARGEST ** draw.uniform(0.25, 1.0))) for _ in range(BLOCKS)]
    _kept.extend(blocks[::2])
