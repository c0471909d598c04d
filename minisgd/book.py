"""What the book prints for training: Dive into Deep Learning, section 12.5, its settings, losses and seconds an epoch."""

from __future__ import annotations

from dataclasses import dataclass

URL = "https://d2l.ai/chapter_optimization/minibatch-sgd.html"


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
