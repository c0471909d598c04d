from __future__ import annotations

import pytest

from kernels.cpu import tiles
from kernels.cpu.caches import Cache
from kernels.cpu.vectors import Vectors
from kernels.packed import choices

WIDE, ONE_WIDE, AVX2 = Vectors("AVX-512", 64, 32), Vectors("AVX-512", 64, 32, fmas_a_cycle=1), Vectors("AVX2", 32, 16)
SIZES = (32 << 10, 1 << 20, 32 << 20)
LEVELS = [Cache(level + 1, size, 8, 64, 1 if level < 2 else 8, "x") for level, size in enumerate(SIZES)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "unit", "kc", "level", "near"),
    [("icelake-server", WIDE, 512, 1, 32 << 10), ("znver4", ONE_WIDE, 1024, 2, 1 << 19), ("znver5", WIDE, 512, 1, 32 << 10),
     ("znver3", AVX2, 1024, 2, 56 << 10), ("haswell", AVX2, 512, 1, 56 << 10)],
)  # fmt: skip
def test_a_block_is_where_it_comes_from_in_time_and_leaves_room(name, unit, kc, level, near, dtype, monkeypatch):
    for module, what, value in (
        (tiles, "cpu_name", name), (tiles, "vectors", unit), (choices, "vectors", unit), (tiles, "caches", LEVELS),
        (choices, "caches", LEVELS),
    ):  # fmt: skip
        monkeypatch.setattr(module, what, lambda value=value: value)
    found = choices.blocking(dtype)
    assert (found.kc, found.straddling_bytes) == (kc, near)
    bytes_ = found.kc * found.mc * tiles.ITEMSIZE[dtype]
    assert LEVELS[level - 1].size // 2 < bytes_ < LEVELS[level].size * 3 // 4
    assert LEVELS[0].size < found.l2_block_bytes <= LEVELS[1].size * 3 // 4
    assert found.mc % found.mr == 0
