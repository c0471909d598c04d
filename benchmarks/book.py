"""What the book prints: Dive into Deep Learning, section 12.5, each tab of its "Vectorization and Caches" experiment.

It measures 256 x 256 matrices in float32, one un-warmed shot each, and divides by 0.03 where the product takes 0.0335 GFLOP;
`CORRECTION` puts its figures on the right flop count.
"""

from kernels.flops import flops

URL = "https://d2l.ai/chapter_optimization/minibatch-sgd.html"

GFLOPS = {
    "PyTorch": {"elementwise": 0.017, "columnwise": 0.459, "full": 51.6, "block": 37.6},
    "MXNet": {"elementwise": 0.000, "columnwise": 0.152, "full": 3.22, "block": 2.77},
    "TensorFlow": {"elementwise": 0.000, "columnwise": 0.060, "full": 1.15, "block": 2.43},
}
"""As printed, by tab and rung."""

CASE = ("256", "float32")
"""Size and dtype of what it measures."""

CORRECTION = flops(256, 256, 256) / 0.03e9


def gflops(tab: str, rung: str) -> float | None:
    """The book's figure with the right flop count; None for a rung that it does not measure."""
    printed = GFLOPS[tab].get(rung)
    return None if printed is None else printed * CORRECTION
