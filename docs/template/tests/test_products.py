"""Shapes, layouts, special values, tiles, guard pages and threads; a bound of its own is declared with the kernel."""

from kernels.testing import check

TestBlock = check("mine/block")
