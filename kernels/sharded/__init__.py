"""Products of matrices that lie in parts on several processes; any registered kernel of the CPU multiplies the parts.

Of R ranks, each holds one part of a (m, n) and one of b (n, p), and gets one of out (m, p). What it receives meanwhile:

=========  ==================  ==================  ==================  ===============================================
layout     part of a           part of b           part of out         elements received by a rank
=========  ==================  ==================  ==================  ===============================================
columns    rows r              columns r           columns r           (1 - 1/R) m n: the rest of a, an all-gather
rows       columns r           rows r              rows r              (1 - 1/R) m p: sums to add, a reduce-scatter
summa      block (i, j)        block (i, j)        block (i, j)        (1 - 1/J) m n / I + (1 - 1/I) n p / J: panels
=========  ==================  ==================  ==================  ===============================================

SUMMA's ranks stand in a mesh of I rows and J columns. In a square mesh a rank receives less than 2 n^2 / I elements of square
matrices, I / 2 times fewer than in the other layouts. Whatever the layout, all ranks together do 2mnp flops.

Source: van de Geijn and Watts, "SUMMA: scalable universal matrix multiplication algorithm", Concurrency 9 (1997); Shoeybi et al.,
"Megatron-LM" (2019), section 3, for a product by columns before one by rows.
"""

from kernels.sharded.local import local
from kernels.sharded.mesh import Mesh, cut
from kernels.sharded.peers import Mail, Peers
from kernels.sharded.products import LAYOUTS, Columns, Rows, Sharded, Summa

__all__ = ["LAYOUTS", "Columns", "Mail", "Mesh", "Peers", "Rows", "Sharded", "Summa", "cut", "local"]
