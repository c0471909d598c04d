"""scikit-learn's SGDRegressor, the library that users would pick for one example at a time: a peer.

It takes seconds to import: whoever lists the steps does not wait for it.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from minisgd.steps import Array, Epoch, step

if find_spec("sklearn") is None:
    raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")


@step("sklearn", singles=True)
def sklearn(x: Array, y: Array, weights: Array, bias: Array, objective: str) -> Epoch:
    """An epoch of ``partial_fit`` without penalty at a constant rate, which is the same trajectory at batch 1."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(loss="squared_error", penalty=None, learning_rate="constant", shuffle=False)
    targets = np.ascontiguousarray(y[:, 0])
    model.partial_fit(x[:1], targets[:1])  # makes its arrays

    def epoch(order: NDArray[np.int64], batch_size: int, rate: float) -> None:
        model.eta0 = rate
        model.coef_[:], model.intercept_[:] = weights[:, 0], bias
        model.partial_fit(x[order], targets[order])
        weights[:, 0], bias[:] = model.coef_, model.intercept_

    return epoch
