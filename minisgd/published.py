"""What the book prints: Dive into Deep Learning, section 12.5, its figures for products and for training, in each of its tabs.

For products it measures 256 x 256 matrices in float32, one un-warmed shot each, and divides by 0.03 where the product takes
0.0335 GFLOP; `CORRECTION` puts its figures on the right flop count.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernels.flops import flops

URL = "https://d2l.ai/chapter_optimization/minibatch-sgd.html"

GFLOPS = {
    "PyTorch": {"elementwise": 0.017, "columnwise": 0.459, "full": 51.6, "block": 37.6},
    "MXNet": {"elementwise": 0.000, "columnwise": 0.152, "full": 3.22, "block": 2.77},
    "TensorFlow": {"elementwise": 0.000, "columnwise": 0.060, "full": 1.15, "block": 2.43},
}
"""As printed, by tab and rung."""

CASE = ("256", "float32")
"""Size and dtype of the products that it measures."""

CORRECTION = flops(256, 256, 256) / 0.03e9


def gflops(tab: str, rung: str) -> float | None:
    """The book's figure with the right flop count; None for a rung that it does not measure."""
    printed = GFLOPS[tab].get(rung)
    return None if printed is None else printed * CORRECTION


@dataclass(frozen=True)
class Printed:
    """One of the chapter's runs.

    Parameters
    ----------
    name : str
    batch_size, epochs : int
    rate : float
        On the loss with the factor 1/2. The concise version has none, so its 0.01 counts double here.
    tabs : dict
        Loss and seconds an epoch, by tab.
    """

    name: str
    batch_size: int
    epochs: int
    rate: float
    tabs: dict[str, tuple[float, float]]


RUNS = (
    Printed("gd", 1500, 10, 1.0, {"PyTorch": (0.247, 0.020), "MXNet": (0.254, 0.034), "TensorFlow": (0.249, 0.022)}),
    Printed("sgd", 1, 2, 0.005, {"PyTorch": (0.245, 0.685), "MXNet": (0.243, 3.22), "TensorFlow": (0.246, 6.01)}),
    Printed("batch 100", 100, 2, 0.4, {"PyTorch": (0.246, 0.025), "MXNet": (0.248, 0.064), "TensorFlow": (0.245, 0.074)}),
    Printed("batch 10", 10, 2, 0.05, {"PyTorch": (0.246, 0.090), "MXNet": (0.243, 0.374), "TensorFlow": (0.245, 0.617)}),
    Printed("concise", 10, 4, 0.02, {"PyTorch": (0.243, 0.096), "MXNet": (0.243, 0.393), "TensorFlow": (0.249, 1.20)}),
)
